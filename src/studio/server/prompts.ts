/** Prompts that a person types or brings as a file: looked at before a round is drawn of them. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AttuneError, FormatError, shownText, VocabularyError } from '../../errors.ts'
import { decodeText } from '../../files.ts'
import { resolveCheckpoint } from '../../networks/checkpoint/resolve-checkpoint.ts'
import { publishedTokenizer } from '../../networks/clip/published-tokenizer.ts'
import { openTokenizer, type ClipTokenizer } from '../../networks/clip/tokenizer.ts'
import { distractors } from '../../prompts/distractors.ts'
import { generalWords } from '../../prompts/general-words.ts'
import { cutPrompts, cutResults } from '../../prompts/cut-prompts.ts'
import { promptList, type PromptList } from '../../prompts/prompt-file.ts'
import { plainLineEnd } from '../../prompts/stated-prompts.ts'
import type { PromptWorld } from '../../prompts/prompt-world.ts'
import { random } from '../../random.ts'
import { mostPrompts, PromptCheck, PromptsOfFile, PromptsToCheck, PromptWords } from '../schemas/prompts.ts'
import type { Studio } from '../studio.ts'
import { worldOf } from '../worlds.ts'
import { refuse } from './failures.ts'
import { jsonRoute } from './route.ts'

const fileLimit = 16e6
const mostNamed = 10
/** `column` names the one that holds the prompts, where a table has several. */
const PromptForm = z.object({ file: z.file(), column: z.string().min(1).max(200).optional() })

export const promptRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/prompts/words',
    summary: 'Words to make prompts of: those of the embedded model, else some of plain English.',
    who: 'admin',
    answer: PromptWords,
    handle: ({ studio }) => wordsFor(studio),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/prompts/check',
    summary: 'What would become of prompts: repeats, too long ones, words that the model does not know.',
    who: 'admin',
    bodyLimit: 8e6,
    body: PromptsToCheck,
    answer: PromptCheck,
    handle: ({ studio, body: { prompts } }) => check(studio, prompts),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/prompts/file',
    summary: 'The prompts of a file: .txt, .csv, .tsv, .jsonl or .json, as the command line reads them.',
    who: 'admin',
    bodyLimit: fileLimit,
    form: PromptForm,
    answer: PromptsOfFile,
    handle: async ({ studio, form: { fields, files } }) => {
      const file = files.find(({ field }) => field === 'file')
      if (file === undefined) {
        throw refuse(400, 'invalid', {
          where: 'form file',
          expected: 'one file',
          received: 'none',
          remedy: 'choose a file of prompts',
        })
      }
      const name = file.name.split(/[/\\]/).at(-1)?.slice(0, 200) ?? ''
      const content = decodeText(name, await readFile(file.path))
      const { prompts, repeated, wrong } = withoutWrongLines(name, content, fields.column ?? null)
      const checked = check(
        studio,
        [...prompts, ...repeated].map(({ text }) => text),
      )
      const again = repeated.slice(0, mostNamed).map(({ line, text }) => ({ line, text: shownText(text, 200) }))
      const negatives = prompts.filter(({ negative }) => negative !== undefined).length
      return { ...checked, again, negatives, wrong: { count: wrong.length, named: wrong.slice(0, mostNamed) } }
    },
  }),
]

interface ReadFile extends PromptList {
  readonly wrong: readonly { readonly line: number; readonly text: string }[]
}

/** So many broken lines are left out; a file with more is another kind of file. */
const mostWrong = 100

/**
 * A file of an object a line, or a table of a row a line, is read without the lines that are broken, so that all of them can be named
 * at once.
 *
 * @throws {FormatError} nothing is left, or what is wrong is no line of such a file
 */
function withoutWrongLines(name: string, content: string, column: string | null): ReadFile {
  const lines = content.split(plainLineEnd)
  // Where a cell goes on over lines, rows are no lines.
  const isTable = /\.(csv|tsv)$/i.test(name) && lines.every((line) => line.split('"').length % 2 === 1)
  const isByLine = isTable || (/\.(jsonl|ndjson)$/i.test(name) && !content.trimStart().startsWith('['))
  const wrong: { line: number; text: string }[] = []
  let first: unknown
  for (;;) {
    try {
      return { ...listOf(name, wrong.length === 0 ? content : lines.join('\n'), column), wrong }
    } catch (error) {
      first ??= error
      if (!isByLine || !(error instanceof FormatError) || wrong.length === mostWrong) throw first
      const line = Number(error.where.slice(name.length).match(/^:(\d+)/)?.[1])
      if (!Number.isInteger(line) || (lines[line - 1] ?? '').trim() === '') throw first
      if (isTable && lines.slice(0, line - 1).every((one) => one.trim() === '' || one.startsWith('sep='))) throw first
      wrong.push({ line, text: `${error.received}: ${error.remedy}` })
      lines[line - 1] = ''
    }
  }
}

/** As the command line reads it, whose flag is a field here. */
function listOf(name: string, content: string, column: string | null): PromptList {
  try {
    return promptList(name, content, { column })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const { where, expected, received, remedy } = error
    const advice = remedy.replace('with --prompt-column', 'as the column').replace('--prompt-column', 'column')
    throw new FormatError({ where, expected, received, remedy: advice })
  }
}

function check({ model }: Studio, given: readonly string[]): PromptCheck {
  const prompts = [...new Set(given)]
  const world = worldOf(model)
  const refused = world === undefined ? [] : prompts.flatMap((prompt) => refusalOf(prompt, world))
  const tokenizers = world === undefined ? tokenizersOf(model) : []
  const cut = tokenizers
    .map((tokenizer) => cutPrompts(prompts, (text) => ({ tokens: tokenizer.count(text), read: tokenizer.length })))
    .find((one) => one !== undefined)
  return {
    prompts: prompts.slice(0, mostPrompts),
    total: prompts.length,
    repeated: given.length - prompts.length,
    cut: mutable(cutResults(cut).cutPrompts),
    unreadable: { count: refused.length, named: refused.slice(0, mostNamed) },
    distractors: prompts.slice(0, mostCompared).map((prompt) => ({ prompt, texts: distractorsOf(prompt, world) })),
  }
}

const mostCompared = 50
const shownDistractors = 6

/** Some that training could draw; where raters marked words, it changes those more often. */
function distractorsOf(prompt: string, world: PromptWorld | undefined): string[] {
  return distractors({ text: prompt }, world?.vocabulary ?? generalWords(prompt), shownDistractors, random(0))
}

/** Nouns that are easy to draw and to tell apart; colours and numbers are those that distractors change. */
const plainObjects = ['cat', 'dog', 'bird', 'car', 'chair', 'apple'].map((singular) => ({
  singular,
  plural: `${singular}s`,
}))
const mostWords = 6

function wordsFor({ model }: Studio): PromptWords {
  const world = worldOf(model)
  const { objects, colors, counts, backgrounds } = world?.vocabulary ?? generalWords('')
  const some = <T>(list: readonly T[]) => list.slice(0, world === undefined ? mostWords : undefined)
  return {
    objects: [...(world === undefined ? plainObjects : objects)],
    colors: some(colors),
    counts: some(counts),
    backgrounds: some(backgrounds),
  }
}

const mutable = (cut: ReturnType<typeof cutResults>['cutPrompts']): PromptCheck['cut'] =>
  cut === undefined ? null : { ...cut, named: [...cut.named] }

function refusalOf(prompt: string, world: PromptWorld): PromptCheck['unreadable']['named'] {
  try {
    world.expectReadable(prompt)
    return []
  } catch (error) {
    if (!(error instanceof VocabularyError)) throw error
    return [{ prompt, reason: `${error.received}: ${error.remedy}` }]
  }
}

const opened = new Map<string, readonly ClipTokenizer[]>()

/** Of a checkpoint's text encoders; none where it has them in another form. */
function tokenizersOf(model: string): readonly ClipTokenizer[] {
  const known = opened.get(model)
  if (known !== undefined) return known
  try {
    opened.set(model, isFile(model) ? [publishedTokenizer('<|endoftext|>')] : inFolder(resolveCheckpoint(model)))
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error
    return []
  }
  return opened.get(model) ?? []
}

const isFile = (model: string) => statSync(model, { throwIfNoEntry: false })?.isFile() === true

const inFolder = (folder: string): readonly ClipTokenizer[] =>
  ['tokenizer', 'tokenizer_2']
    .map((name) => join(folder, name))
    .filter((one) => existsSync(one))
    .map((one) => openTokenizer(one))
