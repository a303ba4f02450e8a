/**
 * BERT's tokenizer (Devlin et al. 2019): words of a text in lower case and without accents, each cut into the longest pieces of
 * a vocabulary from left to right (WordPiece; Wu et al. 2016). As transformers' BertTokenizer 5, to the id, with these departures:
 *
 * 1. Characters from after Unicode 8, which its tables do not know, are sorted here by those of Node.
 * 2. The ideographs U+2B820 to U+2B91F are words of their own, as in BERT's own code; its number has a slip there.
 */
import { Tokenizer } from '@huggingface/tokenizers'
import { splitAt } from '../split-at.ts'

/** Id by token. A piece that does not begin a word begins with `##`. */
export type Vocabulary = ReadonlyMap<string, number>

/** The tokens that a text is put between, filled up with, and given for a word that has no pieces. */
export const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] as const

export interface WordPieceTokenizer {
  /**
   * Exactly `length` ids: [CLS], those of the text, [SEP], [PAD]. A text that is too long loses its end, never the [SEP].
   * @returns also how many of them are no padding
   */
  encode(text: string, length: number): { readonly ids: readonly number[]; readonly count: number }
  /** Tokens that the whole text needs, with [CLS] and [SEP]. */
  count(text: string): number
}

/**
 * @param vocabulary with all of {@link specialTokens}
 * @param added      tokens that stand for themselves wherever they stand in a text, with their ids
 */
export function wordPieceTokenizer(vocabulary: Vocabulary, added: Vocabulary): WordPieceTokenizer {
  const [pad, , start, end] = specialTokens.map((token) => vocabulary.get(token)!)
  const library = new Tokenizer(
    {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: {
        type: 'WordPiece',
        vocab: Object.fromEntries(vocabulary),
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
      },
      post_processor: null,
      decoder: null,
    },
    {},
  )
  const idsOf = splitAt(added, (text) => library.encode(normalize(text), { add_special_tokens: false }).ids)
  return {
    encode(text, length) {
      const ids = [start, ...idsOf(text).slice(0, length - 2), end]
      return { ids: [...ids, ...Array<number>(length - ids.length).fill(pad)], count: ids.length }
    },
    count: (text) => idsOf(text).length + 2,
  }
}

/** Left out, but for tab and line ends, which are white space. */
const unseen = /[\0\ufffd\p{Cf}\p{Co}\p{Cs}]|(?![\t\n\r])\p{Cc}/gu
/** Blocks of ideographs that were there when BERT was trained; each is a word of its own. */
const ideograph = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu

/** A sigma at the end of a word is as any other, which JavaScript would not have. */
const normalize = (text: string) =>
  text
    .replaceAll(unseen, '')
    .replaceAll(/\s/gu, ' ')
    .replaceAll(ideograph, ' $& ')
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .replaceAll('Σ', 'σ')
    .toLowerCase()
