/**
 * CLIP's tokenizer: a prompt becomes the ids that CLIP's text encoder takes. Byte-pair encoding of bytes (Sennrich et
 * al. 2016, Radford et al. 2019), lower case, as transformers' CLIPTokenizer 5, to the id, with these departures:
 *
 * 1. Characters that are younger than one of the two sides' Unicode tables. Here those of Node count. A letter that only
 *    they know is part of its word there and not here, or the other way round; of combining marks from after Unicode 9,
 *    transformers keeps the order in which they were typed.
 * 2. transformers before version 5 had a second, slower tokenizer, which repaired broken texts first (ftfy) or dropped
 *    control characters. It is not followed.
 */
import { Tokenizer } from '@huggingface/tokenizers'
import { splitAt } from '../split-at.ts'
import { readTokenizerFiles } from './tokenizer-files.ts'
import type { TokenizerFiles } from './tokenizer-files.ts'

/** Turns texts into the tokens that a text encoder of CLIP reads. */
export interface ClipTokenizer {
  /** Ids in an encoded text: 77. */
  readonly length: number
  /** Id of the token that starts a text. */
  readonly bos: number
  /** Id of the token that ends it. */
  readonly eos: number
  /** Id of what follows to the full length: the end token in Stable Diffusion 1, `!` in 2. */
  readonly pad: number
  /** Exactly `length` ids: bos, those of the text, eos, padding. A text that is too long loses its end, never the eos. */
  encode(text: string): number[]
  /** Tokens that the whole text needs, with bos and eos: above `length`, its end is lost. */
  count(text: string): number
}

/**
 * The tokenizer in a folder as transformers saves it: `vocab.json` and `merges.txt`, or `tokenizer.json`, and, where they
 * are there, `tokenizer_config.json` and `special_tokens_map.json`.
 *
 * As in transformers, special tokens are recognised inside a text. So where padding is `!`, an exclamation mark in a
 * prompt has the id of padding.
 *
 * @throws {FileError} a file is missing or cannot be read
 * @throws {FormatError} broken JSON, a merge of tokens that are not in the vocabulary, no id for a special token
 */
export function openTokenizer(folder: string): ClipTokenizer {
  return clipTokenizer(readTokenizerFiles(folder))
}

/** See {@link openTokenizer}. */
export function clipTokenizer(files: TokenizerFiles): ClipTokenizer {
  const { added, length } = files
  const [bos, eos, pad] = [files.bos, files.eos, files.pad].map((token) => added.get(token)!.id)
  const idsOf = tokensOf(files)
  return {
    length,
    bos,
    eos,
    pad,
    encode(text) {
      const ids = [bos, ...idsOf(text).slice(0, length - 2), eos]
      return [...ids, ...Array<number>(length - ids.length).fill(pad)]
    },
    count: (text) => idsOf(text).length + 2,
  }
}

const words = String.raw`'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`

/** All ids of a text, without bos and eos. */
function tokensOf({ vocab, merges, unk, added }: TokenizerFiles): (text: string) => number[] {
  const cut = (pattern: string) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true })
  const library = new Tokenizer(
    {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        // Special tokens that were not recognised end where they end, and are cut into words then.
        pretokenizers: [
          cut(String.raw`<\|startoftext\|>|<\|endoftext\|>|${words}`),
          cut(words),
          { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
        ],
      },
      model: { type: 'BPE', vocab, merges, unk_token: unk, end_of_word_suffix: '</w>' },
      post_processor: null,
      decoder: null,
    },
    {},
  )
  // Special tokens by hand: the library also finds those of the written text in lower case.
  const written = new Map<string, number>()
  const normalized = new Map<string, number>()
  for (const [token, { id, normalized: isNormalized }] of added) {
    if (isNormalized) normalized.set(normalize(token), id)
    else written.set(token, id)
  }
  const ordinary = (text: string) => library.encode(text, { add_special_tokens: false }).ids
  const inNormalized = splitAt(normalized, ordinary)
  return splitAt(written, (text) => inNormalized(normalize(text)))
}

/** Composed characters in lower case. A sigma at the end of a word is as any other, which JavaScript would not have. */
const normalize = (text: string) => text.normalize('NFC').replaceAll('Σ', 'σ').toLowerCase()
