import { RewardError } from '../../errors.ts'
import { random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { examplesOf, expectTellsApart, hasBothClasses, promptsOf, type RewardExamples } from './reward-examples.ts'

/** Few prompts may leave one side without one kind: other draws of the split are tried. */
const mostDraws = 100

export interface PromptSplit {
  readonly training: RewardExamples
  readonly heldOut: RewardExamples
  /** How many were held out. */
  readonly prompts: number
}

/**
 * Holds whole prompts out. Of the seeded draws the first is taken in which both sides have what all examples have: labels
 * of both classes, and comparisons with a better image. Where no draw has that, one kind on both sides is enough.
 *
 * @throws {RewardError} there is none
 */
export function splitByPrompt(examples: RewardExamples, share: number, seed: number): PromptSplit {
  expectTellsApart(examples)
  const texts = promptsOf(examples).sort()
  const prompts = Math.max(1, Math.min(texts.length - 1, Math.round(texts.length * share)))
  const kinds = [
    ({ labels }: RewardExamples) => hasBothClasses(labels),
    ({ comparisons }: RewardExamples) => comparisons.some(({ isTie }) => !isTie),
  ].filter((isThere) => isThere(examples))
  for (const wanted of [kinds, ...kinds.map((kind) => [kind])]) {
    for (let draw = 0; texts.length > 1 && draw < mostDraws; draw++) {
      const chosen = new Set(
        random(...rewardStreams.heldOut(seed, draw))
          .shuffle(texts)
          .slice(0, prompts),
      )
      const training = examplesOf(examples, (text) => !chosen.has(text))
      const heldOut = examplesOf(examples, (text) => chosen.has(text))
      if (wanted.every((isThere) => isThere(training) && isThere(heldOut))) return { training, heldOut, prompts }
    }
  }
  const { labels, comparisons } = examples
  const good = labels.filter((label) => label.good).length
  throw new RewardError({
    where: 'labels',
    expected: 'good and bad ones, or comparisons, for at least two prompts',
    received: `${good} good, ${labels.length - good} bad and ${comparisons.length} comparisons for ${texts.length} prompts`,
    remedy: 'judge more images, or measure nothing with --held-out 0',
  })
}
