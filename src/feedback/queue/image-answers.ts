/** Who has answered about which image, where one image is asked about at a time. */
import { getOrAdd } from '../../get-or-add.ts'
import type { Random } from '../../random.ts'
import { FreshOrder, type ImageState, type PromptState } from './fresh-order.ts'
import { FreshWalk } from './fresh-walk.ts'
import type { Asked, QueueBasis } from './open-tasks.ts'
import { isDrawn } from './second-share.ts'
import { SortedList } from './sorted-list.ts'
import type { StandingChange } from '../raters/standing.ts'

/** `second`: one rater has judged it, and it is among those that another one is asked about too. */
type Standing = 'fresh' | 'second' | 'gold' | 'closed'

/** Images that a rater has answered, a skip too, by how they stand. */
type Own = Readonly<Record<Standing, Set<ImageState>>>

const emptyOwn = (): Own => ({ fresh: new Set(), second: new Set(), gold: new Set(), closed: new Set() })

interface ImageAnswersOptions {
  readonly kind: 'good-bad-skip' | 'rating'
  /** Most images of a task. */
  readonly size: number
  /** Gold items are kept apart. */
  readonly hasGold: boolean
}

export class ImageAnswers {
  readonly order: FreshOrder
  readonly #kind: StandingChange['judgment']['kind']
  readonly #gold: readonly ImageState[]
  readonly #isGold: ReadonlySet<ImageState>
  readonly #isDrawn = new Set<ImageState>()
  readonly #seconds = new SortedList<ImageState>((a, b) => a.place - b.place)
  readonly #raters = new Map<ImageState, Set<string>>()
  readonly #own = new Map<string, Own>()

  constructor(basis: QueueBasis, { kind, size, hasGold }: ImageAnswersOptions) {
    const isGold = ({ id }: { id: string }) => hasGold && (basis.gold?.has(id) ?? false)
    this.order = new FreshOrder({ ...basis, size, isAskable: (image) => !isGold(image) })
    this.#kind = kind
    const images = this.order.prompts.flatMap((prompt) => prompt.images)
    this.#gold = images.filter(isGold)
    this.#isGold = new Set(this.#gold)
    for (const image of images) if (isDrawn(basis, [image.id])) this.#isDrawn.add(image)
  }

  change({ judgment, stands }: StandingChange): void {
    if (judgment.kind !== this.#kind) return
    const image = this.order.image(judgment.images[0])
    if (image === undefined) return
    const before = this.#standingOf(image)
    const raters = getOrAdd(this.#raters, image, () => new Set())
    if (stands) raters.add(judgment.rater)
    else {
      raters.delete(judgment.rater)
      this.#ownOf(judgment.rater)[before].delete(image)
    }
    if (judgment.answer !== 'skip') this.order.judge(image, stands ? 1 : -1)
    const after = this.#standingOf(image)
    for (const rater of raters) {
      const own = this.#ownOf(rater)
      if (after !== before) own[before].delete(image)
      own[after].add(image)
    }
    if (before === after) return
    if (before === 'second') this.#seconds.remove(image)
    if (after === 'second') this.#seconds.add(image)
  }

  /** Images that a rater has answered. */
  done(rater: string): number {
    const { fresh, second, gold, closed } = this.#readOwn(rater)
    return fresh.size + second.size + gold.size + closed.size
  }

  /** Images that a rater is still to be asked about. */
  left(rater: string): number {
    const { fresh, second, gold } = this.#readOwn(rater)
    const all = this.order.freshCount + this.#seconds.items.length + this.#gold.length
    return all - fresh.size - second.size - gold.size
  }

  /** How many images of a prompt are fresh for a rater. */
  freshCount(prompt: PromptState, rater: string): number {
    const { fresh } = this.#readOwn(rater)
    return [...prompt.fresh].filter((image) => !fresh.has(image)).length
  }

  walk({ rater, raterSeed, without, reserved }: Asked): FreshWalk {
    return new FreshWalk(
      this.order,
      raterSeed,
      new Set([...this.#readOwn(rater).fresh, ...this.#known(without), ...this.#known(reserved)]),
    )
  }

  /** A function that takes out up to `size` images of a prompt that one other rater has judged. */
  seconds({ rater, without, reserved }: Asked, size: number): (stream: Random) => readonly ImageState[] | undefined {
    let open: [PromptState, ImageState[]][] | undefined
    return (stream) => {
      if (open === undefined) {
        const own = this.#readOwn(rater).second
        const free = this.#seconds.items.filter(
          (image) => !own.has(image) && !without.has(image.id) && !reserved.has(image.id),
        )
        open = [...Map.groupBy(free, ({ prompt }) => prompt)]
      }
      if (open.length === 0) return undefined
      const place = stream.integer(0, open.length - 1)
      const [, images] = open[place]
      const taken = images.splice(0, size)
      if (images.length === 0) open.splice(place, 1)
      return stream.shuffle(taken)
    }
  }

  /** A function that takes out a gold item. */
  gold({ rater, without }: Asked): (stream: Random) => ImageState | undefined {
    let open: ImageState[] | undefined
    return (stream) => {
      const own = this.#readOwn(rater).gold
      open ??= this.#gold.filter((image) => !own.has(image) && !without.has(image.id))
      return open.length === 0 ? undefined : open.splice(stream.integer(0, open.length - 1), 1)[0]
    }
  }

  #known(ids: ReadonlySet<string>): ImageState[] {
    return [...ids].flatMap((id) => this.order.image(id) ?? [])
  }

  /** Who only asks leaves nothing behind. */
  #readOwn(rater: string): Own {
    return this.#own.get(rater) ?? emptyOwn()
  }

  #ownOf(rater: string): Own {
    return getOrAdd(this.#own, rater, emptyOwn)
  }

  #standingOf(image: ImageState): Standing {
    if (this.#isGold.has(image)) return 'gold'
    if (image.judgments === 0) return 'fresh'
    return image.judgments === 1 && this.#isDrawn.has(image) ? 'second' : 'closed'
  }
}
