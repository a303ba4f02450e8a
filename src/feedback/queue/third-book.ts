/** Which labels somebody is to be asked about to settle them, kept up to date with every judgment. */
import { questionOf, type StandingChange } from '../raters/standing.ts'
import type { SettledKind } from '../agreement/disagreed-labels.ts'
import type { ThirdOpinion } from './third-opinions.ts'

export class ThirdBook {
  #opinions: readonly ThirdOpinion[] = []
  #key = '[]'
  /** Of each question that is asked about: who has answered, and whether by more than a skip. */
  #answers = new Map<string, Map<string, boolean>>()
  #followed = 0

  /** @param changes how the judgments that stand came to, a list that grows */
  follow(opinions: readonly ThirdOpinion[], changes: readonly StandingChange[]): void {
    const key = JSON.stringify(opinions.map(({ question, askedAt }) => [question, askedAt]))
    if (key !== this.#key) {
      this.#key = key
      this.#opinions = opinions
      this.#answers = new Map(opinions.map(({ question }) => [question, new Map()]))
      this.#followed = 0
    }
    if (opinions.length === 0) return
    for (; this.#followed < changes.length; this.#followed++) {
      const { judgment, stands } = changes[this.#followed]
      const raters = this.#answers.get(questionOf(judgment))
      if (stands) raters?.set(judgment.rater, judgment.answer !== 'skip')
      else raters?.delete(judgment.rater)
    }
  }

  /** What is open for a rater: what nobody has settled, and this rater has not judged. In the order in which it was asked for. */
  openFor(rater: string, kind: SettledKind, excluded: ReadonlySet<string>): ThirdOpinion[] {
    return this.#opinions.filter((opinion) => {
      if (opinion.kind !== kind || opinion.raters.includes(rater)) return false
      const answers = this.#answers.get(opinion.question)!
      const isSettled = [...answers].some(
        ([name, isAnswer]) => isAnswer && !opinion.raters.includes(name) && !excluded.has(name),
      )
      return !isSettled && !answers.has(rater)
    })
  }

  /** The questions about any of these images. */
  questionsAbout(images: readonly string[]): string[] {
    return this.#opinions.flatMap((one) => (one.images.some((image) => images.includes(image)) ? [one.question] : []))
  }
}

/** Images of tasks about such labels: of one prompt together as far as they fit, a pair by itself. */
export function thirdGroups(
  opinions: readonly Pick<ThirdOpinion, 'kind' | 'images'>[],
  textOf: (image: string) => string | undefined,
  /** Images that this rater holds already. */
  without: ReadonlySet<string>,
): string[][] {
  const groups: string[][] = []
  const ofPrompt = new Map<string, string[]>()
  for (const { kind, images } of opinions) {
    const text = textOf(images[0])
    if (text === undefined || images.some((image) => textOf(image) === undefined || without.has(image))) continue
    const last = ofPrompt.get(text)
    if (kind === 'good-bad-skip' && last !== undefined && last.length < mostTogether) last.push(...images)
    else {
      const group = [...images]
      groups.push(group)
      if (kind === 'good-bad-skip') ofPrompt.set(text, group)
    }
  }
  return groups
}

/** As many as are shown side by side. */
const mostTogether = 3
