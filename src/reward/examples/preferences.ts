/** Which of two images of one prompt people prefer, from all that they said. */
import { RewardError } from '../../errors.ts'
import type { Comparison, Label, RewardExamples } from './reward-examples.ts'

/** Of good over bad images of one prompt: more of them tell nothing new, and their number grows with the square. */
const mostOfLabels = 4096

/**
 * All comparisons, and of images that were not compared directly every good one over every bad one of its prompt; where
 * these are very many, each good one over as many bad ones in turn. Of n labelled images of a prompt such pairs weigh 2/n
 * each where all are taken, as those of a rating do, and together the same where not; an image that is called good as often
 * as bad is neither.
 *
 * @returns comparisons as they are, then those of labels, prompts in order of appearance
 */
export function preferencesOf<Image extends number | string>({
  labels,
  comparisons,
}: RewardExamples<Image>): Comparison<Image>[] {
  const compared = new Set(comparisons.map(({ better, worse }) => keyOf(better, worse)))
  const prompts = Map.groupBy(labels, ({ text }) => text)
  const ofLabels = [...prompts].flatMap(([text, ofPrompt]) => {
    const verdicts = [...majorities(ofPrompt)]
    const good = verdicts.filter(([, balance]) => balance > 0)
    const bad = verdicts.filter(([, balance]) => balance < 0)
    const each = Math.min(bad.length, Math.max(1, Math.floor(mostOfLabels / good.length)))
    const weight = (2 / verdicts.length) * (bad.length / each)
    return good.flatMap(([better], place) =>
      Array.from({ length: each }, (_, k) => bad[(place * each + k) % bad.length][0])
        .filter((worse) => !compared.has(keyOf(better, worse)))
        .map((worse) => ({ better, worse, text, isTie: false, weight })),
    )
  })
  return [...comparisons, ...ofLabels]
}

/** Good answers less bad ones, by image. */
function majorities<Image>(labels: readonly Label<Image>[]): Map<Image, number> {
  const balances = new Map<Image, number>()
  for (const { image, good } of labels) balances.set(image, (balances.get(image) ?? 0) + (good ? 1 : -1))
  return balances
}

const keyOf = (a: number | string, b: number | string) => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** @throws {RewardError} no pair says which image is better */
export function expectDecided(pairs: readonly Comparison[]): void {
  if (pairs.some(({ isTie }) => !isTie)) return
  throw new RewardError({
    where: 'pairs',
    expected: 'some in which one image is better, or good and bad images of one prompt',
    received: pairs.length === 0 ? 'none' : `${pairs.length} ties`,
    remedy: 'compare more images, or hold fewer prompts out with --held-out',
  })
}
