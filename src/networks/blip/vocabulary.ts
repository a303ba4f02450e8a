/** The vocabulary of BERT, which comes with none of the copies of ImageReward: where it is found, and what is read of it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FileError, FormatError } from '../../errors.ts'
import { otherFileKind } from '../../file-kind.ts'
import { readConfig } from '../checkpoint/component-config.ts'
import { cachedSnapshot } from '../checkpoint/hub-cache.ts'
import { mostConfigCharacters } from '../checkpoint/python-json.ts'
import { specialTokens, wordPieceTokenizer, type Vocabulary, type WordPieceTokenizer } from './word-piece.ts'

/** Where BLIP takes its vocabulary from. */
export const vocabularyName = 'google-bert/bert-base-uncased'
/** The same under the name that it has in caches of before the hub gave every model an owner. */
const formerName = 'bert-base-uncased'

const files = ['vocab.txt', 'tokenizer.json'] as const

/** What BLIP adds to the vocabulary, in this order: the first token of a caption that it writes, and of one that it compares. */
const ownTokens = ['[DEC]', '[ENC]']
/** What a text may hold and no word is made of. */
const standing = [...specialTokens, '[MASK]']

/** A tokenizer and how many rows its network has for words. */
export interface OpenVocabulary {
  readonly file: string
  readonly tokenizer: WordPieceTokenizer
  readonly size: number
}

/** The file of the vocabulary in a folder, or else of that of BERT in the Hugging Face cache. */
export function findVocabulary(folder: string): { readonly place: string; readonly name: string } | undefined {
  const cached = [vocabularyName, formerName].flatMap((name) => cachedSnapshot({ name, revision: 'main' }) ?? [])
  return [folder, ...cached]
    .flatMap((place) => files.map((name) => ({ place, name })))
    .find(({ place, name }) => existsSync(join(place, name)))
}

/**
 * What {@link findVocabulary} finds, read.
 *
 * @throws {FileError} none is there
 * @throws {FormatError} not a vocabulary of WordPiece in lower case
 */
export function openVocabulary(folder: string): OpenVocabulary {
  const found = findVocabulary(folder)
  if (found === undefined) {
    throw new FileError({
      where: folder,
      expected: `${files.join(' or ')} of BERT, here or in the Hugging Face cache`,
      received: 'neither',
      remedy: `fetch it: attune model fetch ${vocabularyName}`,
    })
  }
  const file = join(found.place, found.name)
  const vocabulary = found.name === 'vocab.txt' ? readLines(file) : readWhole(found.place, found.name)
  const missing = specialTokens.find((token) => !vocabulary.has(token))
  if (missing !== undefined) {
    throw new FormatError({ where: file, expected: `the token ${missing}`, received: 'none', remedy })
  }
  const added = new Map<string, number>()
  let size = Math.max(...vocabulary.values()) + 1
  for (const token of ownTokens) added.set(token, vocabulary.get(token) ?? size++)
  for (const token of standing) if (vocabulary.has(token)) added.set(token, vocabulary.get(token)!)
  return { file, tokenizer: wordPieceTokenizer(vocabulary, added), size }
}

const remedy = `take the one of ${vocabularyName}`

/** A token a line; its place is its id. */
function readLines(file: string): Vocabulary {
  const { size } = statSync(file)
  if (size > mostConfigCharacters) {
    const expected = `at most ${mostConfigCharacters} bytes`
    throw new FormatError({ where: file, expected, received: `${size}`, remedy })
  }
  const bytes = readFileSync(file)
  const kind = otherFileKind(bytes.subarray(0, 512))
  if (kind !== undefined) throw new FormatError({ where: file, expected: 'a token a line', ...kind })
  const tokens = bytes.toString().split(/\r?\n/)
  if (tokens.at(-1) === '') tokens.pop()
  return new Map(tokens.map((token, id) => [token, id]))
}

const id = z.int().nonnegative().max(10_000_000)
const Whole = z.looseObject({
  normalizer: z.looseObject({
    type: z.literal('BertNormalizer'),
    lowercase: z.literal(true),
    strip_accents: z.literal(true).nullish(),
    handle_chinese_chars: z.literal(true).default(true),
    clean_text: z.literal(true).default(true),
  }),
  model: z.looseObject({
    type: z.literal('WordPiece'),
    unk_token: z.literal('[UNK]').default('[UNK]'),
    continuing_subword_prefix: z.literal('##').default('##'),
    max_input_chars_per_word: z.literal(100).default(100),
    vocab: z.record(z.string(), id),
  }),
  added_tokens: z.array(z.looseObject({ id, content: z.string().min(1) })).default([]),
})

function readWhole(folder: string, name: string): Vocabulary {
  const { model, added_tokens: added } = readConfig(folder, name, Whole)
  return new Map([...Object.entries(model.vocab), ...added.map(({ content, id }) => [content, id] as const)])
}
