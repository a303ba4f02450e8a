/** The tokenizer of all published CLIPs, for checkpoints that come without the files of theirs. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { clipTokenizer, type ClipTokenizer } from './tokenizer.ts'
import { mergesOf, type TokenizerFiles } from './tokenizer-files.ts'

/** OpenAI's, in the form of `merges.txt`: `weights/README.md` has its licence. */
const mergesFile = new URL('../../../weights/clip-merges.txt.gz', import.meta.url)

/** Tokens in the vocabulary. */
export const publishedVocabulary = 49_408

const start = '<|startoftext|>'
const end = '<|endoftext|>'

/** What follows a text: its end token in Stable Diffusion 1, `!` in 2 and in the second encoder of XL. */
export type Padding = typeof end | '!'

export function publishedTokenizer(pad: Padding): ClipTokenizer {
  const { vocab, merges } = tables()
  // The published files describe the tokens of start and end as normalised, and padding as a plain text.
  const isNormalized = { [start]: true, [end]: pad !== end, '!': false }
  const tokens = [...new Set([start, end, pad] as const)]
  const added = new Map(tokens.map((token) => [token, { id: vocab[token], normalized: isNormalized[token] }]))
  return clipTokenizer({ vocab, merges, added, bos: start, eos: end, pad, unk: end, length: 77 })
}

type Tables = Pick<TokenizerFiles, 'vocab' | 'merges'>
let known: Tables | undefined

/** The characters that stand for bytes, the same at the end of a word, the merges, and the tokens of start and end. */
function tables(): Tables {
  if (known !== undefined) return known
  const merges = mergesOf(gunzipSync(readFileSync(mergesFile)).toString()).pairs as [string, string][]
  const symbols = byteSymbols()
  const tokens = [...symbols, ...symbols.map((one) => `${one}</w>`), ...merges.map((pair) => pair.join('')), start, end]
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  return (known = { vocab, merges })
}

/** Printable bytes stand for themselves, the others for characters from 256 on. */
function byteSymbols(): string[] {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)]
  return [...printable, ...range(256, 511 - printable.length)].map((code) => String.fromCodePoint(code))
}
