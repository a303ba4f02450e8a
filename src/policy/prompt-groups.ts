/** Which prompts an iteration of an online method draws images of: several of each where they are compared. */
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import type { Random } from '../random.ts'
import { advantageDeviations } from './group-advantages.ts'

/** Config fields of methods that compare images of one prompt with each other. */
export const promptGroupFields = {
  groupSize: z
    .int()
    .min(2)
    .max(1024)
    .default(8)
    .describe('Images of a prompt that are drawn together and compared with each other.'),
  deviation: z
    .enum(advantageDeviations)
    .default('batch')
    .describe(
      'Deviation of rewards that advantages are divided by: that of the batch leaves prompts whose images are all alike little weight, that of the group weighs all prompts alike.',
    ),
}

interface GroupedSettings {
  readonly groupSize: number
  readonly rolloutsPerIteration: number
  readonly imagesDrawn: number
}

/** @throws {ConfigError} images, of an iteration or in all, that are not whole groups */
export function expectWholeGroups({ groupSize, rolloutsPerIteration, imagesDrawn }: GroupedSettings): void {
  for (const [flag, count] of [
    ['--rollouts-per-iteration', rolloutsPerIteration],
    ['--images-drawn', imagesDrawn],
  ] as const) {
    if (count % groupSize === 0) continue
    throw new ConfigError({
      where: flag,
      expected: `a multiple of --group-size ${groupSize}`,
      received: String(count),
      remedy: `use ${groupSize * Math.max(1, Math.round(count / groupSize))}, or another size of groups`,
    })
  }
}

/**
 * Prompts of an iteration, as many as images: `groupSize` in a row of each, in a shuffled order in which each prompt comes
 * equally often before one comes again. All processes of a group draw the same.
 *
 * @param count of images, a multiple of `groupSize`
 */
export function drawPrompts(texts: readonly string[], count: number, stream: Random, groupSize = 1): string[] {
  const groups = count / groupSize
  const drawn = Array.from({ length: Math.ceil(groups / texts.length) }, () => stream.shuffle(texts)).flat()
  return drawn.slice(0, groups).flatMap((text) => new Array<string>(groupSize).fill(text))
}
