/** The files of a CLIP tokenizer, as transformers saves them beside a checkpoint: read, checked, brought into one form. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FileError, FormatError } from '../../errors.ts'
import { otherFileKind } from '../../file-kind.ts'
import { jsonComplaint, mostConfigCharacters, parsePythonJson } from '../checkpoint/python-json.ts'

/** What a tokenizer is made from. */
export interface TokenizerFiles {
  /** Id by token; a token that ends a word ends in `</w>`. */
  readonly vocab: Readonly<Record<string, number>>
  /** Pairs of tokens that become one, the most frequent first. */
  readonly merges: readonly (readonly [string, string])[]
  readonly bos: string
  readonly eos: string
  readonly pad: string
  readonly unk: string
  /** Tokens that are found in a text before it is cut into words, among them the four above. */
  readonly added: ReadonlyMap<string, AddedToken>
  /** Ids in an encoded text. */
  readonly length: number
}

interface AddedToken {
  readonly id: number
  /** It is looked for in the normalised text, else in the text as it was written. */
  readonly normalized: boolean
}

/** What transformers writes into `model_max_length` where it knows none is far above this. */
const unknownLength = 1e20
const clipLength = 77

const remedy = 'take the tokenizer folder of the checkpoint as transformers saved it'

/** Far above what is published. Each text is padded to its length, and each place of it may begin one of the added tokens. */
const most = { length: 4096, addedTokens: 10_000, tokenLength: 256 } as const

const lengthMessage = `a whole number above 2, at most ${most.length}`
const Token = z.union(
  [
    z
      .string()
      .min(1)
      .transform((content) => ({ content, normalized: false })),
    z.object({ content: z.string().min(1), normalized: z.boolean().default(false) }),
  ],
  'a token: a text, or an object with content',
)
const NamedTokens = z.object(
  { bos_token: Token.nullish(), eos_token: Token.nullish(), unk_token: Token.nullish(), pad_token: Token.nullish() },
  'an object',
)
const Config = z.object(
  {
    ...NamedTokens.shape,
    model_max_length: z
      .number(lengthMessage)
      .refine(
        (length) => length >= unknownLength || (Number.isInteger(length) && length > 2 && length <= most.length),
        lengthMessage,
      )
      .nullish(),
    added_tokens_decoder: z.record(z.string().regex(/^\d+$/, 'ids'), Token, 'tokens by id').optional(),
  },
  'an object',
)
/** `tokenizer.json`. Only the tables count: transformers builds the steps of a CLIP tokenizer itself, too. */
const Whole = z.object(
  {
    model: z.object(
      {
        type: z.literal('BPE', 'BPE'),
        end_of_word_suffix: z.literal('</w>', '</w>, as CLIP has it'),
        vocab: z.unknown(),
        merges: z.array(z.unknown(), 'a list of pairs'),
      },
      'an object with vocab and merges',
    ),
    added_tokens: z
      .array(z.object({ id: z.int('an id'), content: z.string().min(1), normalized: z.boolean('true or false') }))
      .default([]),
  },
  'an object',
)

/**
 * Reads `vocab.json` and `merges.txt`, or else `tokenizer.json`, with `tokenizer_config.json` and
 * `special_tokens_map.json` where they are there.
 *
 * @throws {FileError} a file is missing or cannot be read
 * @throws {FormatError} broken JSON, a merge of tokens that are not in the vocabulary, no id for a special token
 */
export function readTokenizerFiles(folder: string): TokenizerFiles {
  const configFile = join(folder, 'tokenizer_config.json')
  const config = existsSync(configFile) ? parse(Config, configFile) : {}
  const { file, vocab, merges, added: listed } = readTables(folder)

  // As in transformers: a config that lists its added tokens stands for the older file as well.
  const mapFile = join(folder, 'special_tokens_map.json')
  const isOlder = config.added_tokens_decoder === undefined && existsSync(mapFile)
  const named = isOlder ? parse(NamedTokens, mapFile) : {}
  const bos = named.bos_token ?? config.bos_token ?? { content: '<|startoftext|>', normalized: false }
  const endOfText = { content: '<|endoftext|>', normalized: false }
  const eos = named.eos_token ?? config.eos_token ?? endOfText
  const unk = named.unk_token ?? config.unk_token ?? endOfText
  const pad = named.pad_token ?? config.pad_token ?? endOfText

  const idOf = (token: string) => (Object.hasOwn(vocab, token) ? vocab[token] : undefined)
  const inConfig = Object.entries(config.added_tokens_decoder ?? {}).map(([id, token]) => ({
    ...token,
    id: Number(id),
  }))
  const added = new Map(
    (config.added_tokens_decoder === undefined ? listed : inConfig).map(({ content, id, normalized }) => [
      content,
      { id: idOf(content) ?? id, normalized },
    ]),
  )
  // Of two descriptions of one token the later counts: where padding is the end token, it is often a plain text.
  const described = new Set(added.keys())
  for (const [name, { content, normalized }] of Object.entries({ bos, eos, unk, pad })) {
    const id = added.get(content)?.id ?? idOf(content)
    if (id === undefined) {
      const expected = `an id for the ${name} token ${JSON.stringify(content)}`
      throw new FormatError({ where: file, expected, received: 'no such token', remedy })
    }
    if (!described.has(content)) added.set(content, { id, normalized })
  }
  expectFewAdded(added, `${config.added_tokens_decoder === undefined ? file : configFile} added tokens`)
  const length = config.model_max_length ?? unknownLength
  return {
    vocab,
    merges,
    bos: bos.content,
    eos: eos.content,
    pad: pad.content,
    unk: unk.content,
    added,
    length: length >= unknownLength ? clipLength : length,
  }
}

function expectFewAdded(added: TokenizerFiles['added'], where: string): void {
  const long = [...added.keys()].find((token) => token.length > most.tokenLength)
  if (added.size <= most.addedTokens && long === undefined) return
  throw new FormatError({
    where,
    expected: `at most ${most.addedTokens}, each of at most ${most.tokenLength} characters`,
    received: long === undefined ? String(added.size) : `one of ${long.length} characters`,
    remedy,
  })
}

interface Tables extends Pick<TokenizerFiles, 'vocab' | 'merges'> {
  /** The file that the vocabulary is from. */
  readonly file: string
  readonly added: readonly { readonly id: number; readonly content: string; readonly normalized: boolean }[]
}

function readTables(folder: string): Tables {
  const vocabFile = join(folder, 'vocab.json')
  const mergesFile = join(folder, 'merges.txt')
  const wholeFile = join(folder, 'tokenizer.json')
  if (!existsSync(vocabFile) && !existsSync(mergesFile) && existsSync(wholeFile)) {
    const { model, added_tokens: added } = parse(Whole, wholeFile)
    const vocab = expectVocab(model.vocab, `${wholeFile} model.vocab`)
    const pairs = model.merges.map((merge) => (typeof merge === 'string' ? merge.split(' ') : merge))
    return { file: wholeFile, vocab, merges: expectMerges(pairs, vocab, (i) => `${wholeFile} merge ${i}`), added }
  }
  const vocab = expectVocab(readJson(vocabFile), vocabFile)
  const { pairs, first } = mergesOf(readText(mergesFile))
  return {
    file: vocabFile,
    vocab,
    merges: expectMerges(pairs, vocab, (i) => `${mergesFile}:${i + first + 1}`),
    added: [],
  }
}

/** The pairs of a `merges.txt`, and the place of the first line that is one. */
export function mergesOf(text: string): { readonly pairs: readonly string[][]; readonly first: number } {
  const lines = text.trimEnd().split(/\r?\n/)
  const first = lines[0].startsWith('#version') ? 1 : 0
  return { pairs: lines.slice(first).map((line) => line.split(' ')), first }
}

function expectVocab(value: unknown, where: string): Record<string, number> {
  const isVocab =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((id) => Number.isInteger(id) && id >= 0)
  if (isVocab) return value as Record<string, number>
  throw new FormatError({ where, expected: 'ids by token', received: shown(value), remedy })
}

function expectMerges(
  pairs: readonly unknown[],
  vocab: Record<string, number>,
  where: (index: number) => string,
): [string, string][] {
  const isKnown = (token: string) => Object.hasOwn(vocab, token)
  pairs.forEach((pair, i) => {
    if (!isPair(pair)) {
      const expected = 'two tokens with a space between'
      const received = shown(Array.isArray(pair) ? pair.join(' ') : pair)
      throw new FormatError({ where: where(i), expected, received, remedy })
    }
    const [left, right] = pair
    if (isKnown(left) && isKnown(right) && isKnown(left + right)) return
    const received = shown([left, right, left + right].find((token) => !isKnown(token)))
    throw new FormatError({ where: where(i), expected: 'tokens of the vocabulary', received, remedy })
  })
  return pairs as [string, string][]
}

const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'string'

const shown = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80))

function parse<S extends z.ZodType>(schema: S, file: string): z.output<S> {
  const content = readJson(file)
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [{ path, message }] = parsed.error.issues
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], content)
  const where = `${file} ${path.join('.')}`.trim()
  throw new FormatError({ where, expected: message, received: shown(value), remedy, cause: parsed.error })
}

function readJson(file: string): unknown {
  const text = readText(file, 'JSON')
  try {
    return parsePythonJson(text, mostConfigCharacters)
  } catch (cause) {
    throw new FormatError({ where: file, expected: 'JSON', received: jsonComplaint(cause), remedy, cause })
  }
}

function readText(file: string, expected = 'a file of a CLIP tokenizer'): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const received = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message
    throw new FileError({ where: file, expected: 'a file of a CLIP tokenizer', received, remedy, cause })
  }
  const kind = otherFileKind(bytes.subarray(0, 512))
  if (kind !== undefined) throw new FormatError({ where: file, expected, ...kind })
  return bytes.toString()
}
