/** Prompts of the user's that a model can read: checked before any work is done with them. */
import { basename } from 'node:path'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { ConfigError, shownText, VocabularyError } from '../errors.ts'
import type { ProgressStream } from '../progress.ts'
import { cutPrompts, cutResults, cutSentence, type CutPrompts } from '../prompts/cut-prompts.ts'
import { promptList, readPromptList, type PromptList } from '../prompts/prompt-file.ts'
import type { Prompt } from '../records.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { OpenModel } from './open-model.ts'

export const promptColumnField = {
  promptColumn: optionalText.describe(
    'Field or column of the file that holds the prompts; prompt, text or caption without it.',
  ),
}

/** Config fields of every stage that is given prompts. */
export const promptFields = {
  prompts: optionalText.describe(
    'Prompt file: .txt, one a line; .csv or .tsv with a header; .jsonl; .json of COCO, ImageReward or DPOK.',
  ),
  prompt: z
    .array(z.string().trim().min(1))
    .min(1)
    .nullable()
    .default(null)
    .meta({ description: 'A prompt in place of a file; may be given several times.', repeatable: true }),
  ...promptColumnField,
}
export type PromptSource = z.infer<z.ZodObject<typeof promptFields>>

export interface KnownPrompts {
  readonly prompts: Prompt[]
  /** For the manifest: prompts that were left out as repeated, and those of which the end is cut off. */
  readonly results: { readonly repeatedPrompts?: number; readonly cutPrompts?: CutPrompts }
}

interface ReadingOptions {
  readonly draws?: boolean
  readonly negative?: string | null
  readonly stream?: ProgressStream
}

/**
 * Reads prompts and shows each to the model. Says in a line what was repeated, which are too long for the text encoder,
 * and where seeds and negative prompts are not used.
 *
 * @param options.draws    whether seeds and negative prompts of the file are used; otherwise they are dropped
 * @param options.negative of the prompts that have no negative prompt of their own; none without it
 * @throws {VocabularyError} names file and line of a prompt with words that the model does not know
 * @throws {ConfigError} neither a file nor prompts, or both
 * @throws {FileError | FormatError} see `readPromptList`
 */
export async function readKnownPrompts(
  source: PromptSource,
  { model, vocabulary }: OpenModel,
  { draws = false, negative: usual = null, stream = process.stderr }: ReadingOptions = {},
): Promise<KnownPrompts> {
  const name = source.prompts === null ? '--prompt' : basename(source.prompts)
  const tell = (sentence: string) => stream.write(`prompts: ${sentence}\n`)
  const list = await listOf(source, vocabulary)
  const { prompts: own, lines, repeated } = draws ? list : withoutExtras(list, tell)
  const prompts = usual === null ? own : own.map((prompt) => ({ negative: usual, ...prompt }))
  if (repeated.length > 0) tell(repeatedSentence(name, repeated))
  const placeOf = new Map<string, string>(
    prompts.flatMap(({ text, negative }, i) => [
      ...(negative === undefined ? [] : [[negative, `${name}:${lines[i]} negative_prompt`] as const]),
      [text, `${name}:${lines[i]}`] as const,
    ]),
  )
  if (usual !== null) placeOf.set(usual, '--negative-prompt')
  if (vocabulary !== undefined) expectReadable(prompts, model, (text) => placeOf.get(text) ?? name)
  const cut = model.textLength && cutPrompts([...placeOf.keys()], (text) => model.textLength!(text))
  if (cut !== undefined) tell(cutSentence(cut, (text) => placeOf.get(text) ?? name))
  return {
    prompts,
    results: {
      ...(repeated.length > 0 && { repeatedPrompts: repeated.length }),
      ...cutResults(cut),
    },
  }
}

async function listOf(source: PromptSource, vocabulary: OpenModel['vocabulary']): Promise<PromptList> {
  const { prompts: file, prompt: inline, promptColumn: column } = source
  if (file !== null && inline === null) return await readPromptList(file, { vocabulary, column })
  if (file === null && inline !== null) return promptList('prompts.json', JSON.stringify(inline), { vocabulary })
  throw new ConfigError({
    where: '--prompts',
    expected: 'a prompt file, or else prompts with --prompt',
    received: file === null ? 'nothing' : 'both',
    remedy: 'give --prompts my.txt or --prompt "a red circle"',
  })
}

/** Seeds and negative prompts belong to drawing: without them, some prompts may be equal. */
function withoutExtras({ prompts, lines, repeated }: PromptList, tell: (sentence: string) => void): PromptList {
  const extra = prompts.filter(({ seed, negative }) => seed !== undefined || negative !== undefined).length
  if (extra === 0) return { prompts, lines, repeated }
  tell(`${extra} with a seed or a negative prompt of their own, which are not used here (images generate uses them)`)
  const seen = new Set<string>()
  const again = prompts.map(({ text }) => seen.size === seen.add(text).size)
  return {
    prompts: prompts.flatMap(({ id, text, category, attributes, objects }, i) =>
      again[i] ? [] : [{ id, text, category, ...(attributes && { attributes }), ...(objects && { objects }) }],
    ),
    lines: lines.filter((_, i) => !again[i]),
    repeated: [...repeated, ...prompts.flatMap(({ text }, i) => (again[i] ? [{ line: lines[i], text }] : []))],
  }
}

const mostNamed = 5

function repeatedSentence(name: string, repeated: PromptList['repeated']): string {
  const some = repeated.slice(0, mostNamed).map(({ line, text }) => `${name}:${line} “${shownText(text, 60)}”`)
  const more = repeated.length > some.length ? `; and ${repeated.length - some.length} more` : ''
  return `${repeated.length} repeated, of which one each is kept: ${some.join('; ')}${more}`
}

function expectReadable(
  prompts: readonly Prompt[],
  model: OpenModel['model'],
  placeOf: (text: string) => string,
): void {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const texts = prompts.flatMap(({ text, negative }) => (negative === undefined ? [text] : [text, negative]))
  for (const text of new Set(texts)) {
    try {
      model.encodeText([text])
    } catch (error) {
      if (!(error instanceof VocabularyError)) throw error
      const { where, expected, received, remedy } = error
      throw new VocabularyError({ where: `${placeOf(text)} ${where}`, expected, received, remedy })
    }
  }
}
