/** Prompts that a person types or brings as a file: looked at before a round is drawn of them. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AttuneError, FormatError, VocabularyError } from '../../errors.ts'
import { decodeText } from '../../files.ts'
import { resolveCheckpoint } from '../../networks/checkpoint/resolve-checkpoint.ts'
import { publishedTokenizer } from '../../networks/clip/published-tokenizer.ts'
import { openTokenizer, type ClipTokenizer } from '../../networks/clip/tokenizer.ts'
import { cutPrompts, cutResults } from '../../prompts/cut-prompts.ts'
import { promptList, type PromptList } from '../../prompts/prompt-file.ts'
import type { PromptWorld } from '../../prompts/prompt-world.ts'
import { mostPrompts, PromptCheck, PromptsToCheck } from '../schemas/prompts.ts'
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
    answer: PromptCheck,
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
      const { prompts, repeated } = listOf(name, content, fields.column ?? null)
      return check(
        studio,
        [...prompts, ...repeated].map(({ text }) => text),
      )
    },
  }),
]

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
