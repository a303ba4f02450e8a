/** The prompts of a report: those that were trained on and others, from files or of the model's own world. */
import { ConfigError } from '../errors.ts'
import type { OpenModel } from '../images/open-model.ts'
import { readKnownPrompts, type KnownPrompts } from '../images/known-prompts.ts'
import type { PromptWorld } from '../prompts/prompt-world.ts'
import type { Prompt } from '../records.ts'
import type { EvaluationPlan } from './draw.ts'
import { frechetSubsets } from './measures/frechet.ts'
import type { ReportConfig } from './report-config.ts'

/**
 * @returns ofFiles what was repeated in the files or is cut, for the manifest
 * @throws {ConfigError} a model that brings no prompts needs files of them
 */
export async function promptsOf(
  { seen, unseen, promptColumn, model }: ReportConfig,
  opened: OpenModel,
  own: PromptWorld | undefined,
): Promise<{ prompts: EvaluationPlan['prompts']; ofFiles: Readonly<Record<string, KnownPrompts['results']>> }> {
  const read = async (
    file: string | null,
    flag: string,
    bring: (() => Prompt[]) | undefined,
  ): Promise<KnownPrompts> => {
    if (file !== null) return readKnownPrompts({ prompts: file, prompt: null, promptColumn }, opened)
    if (bring !== undefined) return { prompts: bring(), results: {} }
    throw new ConfigError({
      where: flag,
      expected: `a prompt file, since ${model} brings no prompts`,
      received: 'nothing',
      remedy: 'give the prompts that were trained on as --seen and others as --unseen',
    })
  }
  const [first, second] = [await read(seen, '--seen', own?.seen), await read(unseen, '--unseen', own?.unseen)]
  return {
    prompts: [
      ...first.prompts.map((prompt) => ({ ...prompt, split: 'seen' as const })),
      ...second.prompts.map((prompt) => ({ ...prompt, split: 'unseen' as const })),
    ],
    ofFiles: { seenPrompts: first.results, unseenPrompts: second.results },
  }
}

/** What a text encoder makes the same of: it reads lower case, and any space as one. */
const asRead = (text: string) => text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()

/** @throws {ConfigError} a prompt that is in both lists: nothing unseen would be measured */
export function expectApart(prompts: EvaluationPlan['prompts'], { unseen }: ReportConfig): void {
  const textsOf = (split: string) => prompts.filter((prompt) => prompt.split === split).map(({ text }) => text)
  const seen = new Set(textsOf('seen').map(asRead))
  const both = textsOf('unseen').filter((text) => seen.has(asRead(text)))
  if (both.length === 0) return
  throw new ConfigError({
    where: unseen === null ? '--seen' : `--unseen ${unseen}`,
    expected: 'prompts that are not among those of --seen',
    received: both.length === seen.size ? 'the same ones' : `${both.length} of them, such as "${both[0]}"`,
    remedy: 'give prompts that no training has used',
  })
}

/** @throws {ConfigError} fewer than two images for each part of the interval */
export function expectEnough({ prompts, imagesPerPrompt }: EvaluationPlan): void {
  if (prompts.length * imagesPerPrompt >= 2 * frechetSubsets) return
  throw new ConfigError({
    where: '--images-per-prompt',
    expected: `at least ${2 * frechetSubsets} images of each policy, two for each part of the interval`,
    received: `${imagesPerPrompt} of each of ${prompts.length} prompts`,
    remedy: 'draw more of each, or give more prompts',
  })
}
