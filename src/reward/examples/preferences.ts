/** Which of two images of one prompt people prefer, from all that they said. */
import type { Comparison, Label, RewardExamples } from './reward-examples.ts'

/**
 * All comparisons, and of images that were not compared directly every good one over every bad one of its prompt. Of n
 * labelled images of a prompt each such pair weighs 2/n, as those of a rating do; an image that is called good as often as
 * bad is neither.
 *
 * @returns comparisons as they are, then those of labels, prompts in order of appearance
 */
export function preferencesOf({ labels, comparisons }: RewardExamples): Comparison[] {
  const compared = new Set(comparisons.map(({ better, worse }) => keyOf(better, worse)))
  const prompts = Map.groupBy(labels, ({ text }) => text)
  const ofLabels = [...prompts].flatMap(([text, ofPrompt]) => {
    const verdicts = [...majorities(ofPrompt)]
    const weight = 2 / verdicts.length
    const good = verdicts.filter(([, balance]) => balance > 0)
    const bad = verdicts.filter(([, balance]) => balance < 0)
    return good.flatMap(([better]) =>
      bad
        .filter(([worse]) => !compared.has(keyOf(better, worse)))
        .map(([worse]) => ({ better, worse, text, isTie: false, weight })),
    )
  })
  return [...comparisons, ...ofLabels]
}

/** Good answers less bad ones, by image. */
function majorities(labels: readonly Label[]): Map<number, number> {
  const balances = new Map<number, number>()
  for (const { image, good } of labels) balances.set(image, (balances.get(image) ?? 0) + (good ? 1 : -1))
  return balances
}

const keyOf = (a: number, b: number) => (a < b ? `${a} ${b}` : `${b} ${a}`)
