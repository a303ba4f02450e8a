/** One to four images, each rated, and then all ranked (ImageReward, Xu et al. 2023). */
import { getOrAdd } from '../../get-or-add.ts'
import type { ImageState, PromptState } from './fresh-order.ts'
import { ImageAnswers } from './image-answers.ts'
import type { Asked, ModeIndex, OpenTasks, QueueBasis } from './open-tasks.ts'
import type { StandingChange } from '../raters/standing.ts'

const size = 4

/** What one rater has said. */
interface Own {
  /** Overall ratings. */
  readonly rated: Map<ImageState, number>
  /** In how many rankings an image is. */
  readonly ranked: Map<ImageState, number>
  /** Images that are rated and in no ranking. */
  readonly waiting: Set<ImageState>
}

const emptyOwn = (): Own => ({ rated: new Map(), ranked: new Map(), waiting: new Set() })

export class RatingIndex implements ModeIndex {
  readonly #answers: ImageAnswers
  readonly #own = new Map<string, Own>()

  constructor(basis: QueueBasis) {
    this.#answers = new ImageAnswers(basis, { kind: 'rating', size, hasGold: false })
  }

  change(change: StandingChange): void {
    this.#answers.change(change)
    const { judgment, stands } = change
    if (judgment.kind !== 'rating' && judgment.kind !== 'ranking') return
    const own = this.#ownOf(judgment.rater)
    for (const id of judgment.images) {
      const image = this.#answers.order.image(id)
      if (image === undefined) continue
      if (judgment.kind === 'ranking') own.ranked.set(image, (own.ranked.get(image) ?? 0) + (stands ? 1 : -1))
      else if (!stands) own.rated.delete(image)
      else if (judgment.ratings !== undefined) own.rated.set(image, judgment.ratings.overall)
      if (own.rated.has(image) && !((own.ranked.get(image) ?? 0) > 0)) own.waiting.add(image)
      else own.waiting.delete(image)
    }
  }

  open(asked: Asked): OpenTasks {
    const { rated, waiting } = this.#own.get(asked.rater) ?? emptyOwn()
    const walk = this.#answers.walk(asked)
    const broken = promptsOf([...waiting].filter(({ id }) => !asked.without.has(id)))
    return {
      done: this.#answers.done(asked.rater),
      left: this.#answers.left(asked.rater) + this.#toRank(asked.rater, promptsOf([...waiting])),
      walk,
      rated,
      broken() {
        for (let next = broken.shift(); next !== undefined; next = broken.shift()) {
          const [prompt, images] = next
          const task = images.slice(0, size)
          task.push(...walk.take(prompt, size - task.length))
          if (task.length > 1) return task
        }
        return undefined
      },
      fresh(stream) {
        const prompt = walk.next()
        return prompt && stream.shuffle(walk.take(prompt, size))
      },
      second: this.#answers.seconds(asked, size),
      gold: () => undefined,
    }
  }

  /** Tasks of which nothing but the ranking is left. */
  #toRank(rater: string, waiting: readonly [PromptState, ImageState[]][]): number {
    const isRated = ([prompt, { length }]: (typeof waiting)[number]) =>
      length >= size || (length > 1 && this.#answers.freshCount(prompt, rater) === 0)
    return waiting.filter(isRated).length
  }

  #ownOf(rater: string): Own {
    return getOrAdd(this.#own, rater, emptyOwn)
  }
}

/** By prompt, all in the order in which they came. */
const promptsOf = (images: readonly ImageState[]): [PromptState, ImageState[]][] => [
  ...Map.groupBy(
    images.toSorted((a, b) => a.place - b.place),
    ({ prompt }) => prompt,
  ),
]
