import { RewardError } from '../errors.ts'
import { random } from '../random.ts'
import type { LabelledImage } from './train-reward.ts'

/** Few prompts may leave one side with one class: other draws of the split are tried. */
const mostDraws = 100

/**
 * Holds whole prompts out. Of the seeded draws the first with good and bad labels on both sides is taken.
 *
 * @throws {RewardError} there is none
 */
export function splitByPrompt(
  examples: readonly LabelledImage[],
  share: number,
  seed: number,
): { training: LabelledImage[]; heldOut: LabelledImage[]; prompts: number } {
  const texts = [...new Set(examples.map(({ text }) => text))].sort()
  const prompts = Math.max(1, Math.min(texts.length - 1, Math.round(texts.length * share)))
  const hasBoth = (part: readonly LabelledImage[]) => new Set(part.map(({ good }) => good)).size === 2
  for (let draw = 0; texts.length > 1 && draw < mostDraws; draw++) {
    const chosen = new Set(random(seed, 1, draw).shuffle(texts).slice(0, prompts))
    const training = examples.filter(({ text }) => !chosen.has(text))
    const heldOut = examples.filter(({ text }) => chosen.has(text))
    if (hasBoth(training) && hasBoth(heldOut)) return { training, heldOut, prompts }
  }
  const good = examples.filter((example) => example.good).length
  throw new RewardError({
    where: 'labels',
    expected: 'good and bad ones for at least two prompts',
    received: `${good} good and ${examples.length - good} bad for ${texts.length} prompts`,
    remedy:
      good === 0 || good === examples.length
        ? 'a reward can only be learned from a difference: judge more images'
        : 'judge more images, or measure nothing with --held-out 0',
  })
}
