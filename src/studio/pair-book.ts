/** The pairs of the store of which people preferred one image: what a policy can learn from without a reward. */
import type { FeedbackStore } from '../feedback/store/store.ts'
import { isSameGold } from '../feedback/queue/gold.ts'
import { SortedList } from '../feedback/queue/sorted-list.ts'
import type { StandingChange } from '../feedback/raters/standing.ts'
import type { StoredImage } from '../feedback/store/known-rows.ts'
import { mayTrain, readUntaught, type Untaught } from '../feedback/training-judgments.ts'
import { getOrAdd } from '../get-or-add.ts'
import { examplesOfJudgments } from '../reward/examples/examples-of-judgments.ts'
import { preferencesOf } from '../reward/examples/preferences.ts'
import type { PairsToTrain } from './schemas/state.ts'
import { isReadable, worldOf } from './worlds.ts'

/** Fewer pairs than this teach a policy little. */
const enoughPairs = 30
/**
 * Held-out choices with which a policy that prefers as people do in three of five is shown to be better than a coin: the
 * 95 % interval of .6, ± 1.96 √(.25 / n), is clear of .5.
 */
const enoughHeldOut = 96
const [leastUpdates, mostUpdates] = [60, 1000]

/** What stands of one prompt, in order of arrival, and what it teaches as long as that is the same. */
interface OfPrompt {
  readonly standing: SortedList<StandingChange>
  taught: { readonly pairs: number; readonly choices: number } | undefined
}

export class PairBook {
  readonly #store: FeedbackStore
  readonly #model: string
  #known:
    | {
        readonly basis: Untaught & { readonly images: readonly StoredImage[] }
        readonly textOf: (image: string) => string | undefined
        readonly prompts: Map<string, OfPrompt>
        followed: number
        pairs: PairsToTrain | undefined
      }
    | undefined

  constructor(store: FeedbackStore, model: string) {
    this.#store = store
    this.#model = model
  }

  /** The same object until something changes; a judgment changes what its prompt teaches. */
  async all(): Promise<PairsToTrain> {
    const [images, changes, untaught] = await Promise.all([
      this.#store.images(),
      this.#store.changes(),
      this.#store.kept(readUntaught, 'gold', 'raters', 'decisions', 'images'),
    ])
    const basis = { images, ...untaught }
    if (this.#known === undefined || !isSame(this.#known.basis, basis)) {
      const textOf = readableTexts(images, this.#model)
      this.#known = { basis, textOf, prompts: new Map(), followed: 0, pairs: undefined }
    }
    const known = this.#known
    for (; known.followed < changes.length; known.followed++) {
      const change = changes[known.followed]
      if (!mayTrain(change.judgment, known.basis)) continue
      for (const text of new Set(change.judgment.images.map(known.textOf))) {
        if (text === undefined) continue
        const { standing } = getOrAdd(known.prompts, text, (): OfPrompt => ({ standing: byArrival(), taught: undefined })) // prettier-ignore
        if (change.stands) standing.add(change)
        else standing.remove(change)
        known.prompts.get(text)!.taught = undefined
        known.pairs = undefined
      }
    }
    known.pairs ??= pairsOf(known.prompts, known.textOf)
    return known.pairs
  }
}

const byArrival = () => new SortedList<StandingChange>((a, b) => a.place - b.place)

const isSame = (a: Untaught & { images: unknown }, b: typeof a): boolean =>
  a.images === b.images &&
  a.excluded.symmetricDifference(b.excluded).size === 0 &&
  a.leftOut.symmetricDifference(b.leftOut).size === 0 &&
  isSameGold(a.gold, b.gold)

/** @returns the prompt of an image; undefined of one that the model cannot learn from */
function readableTexts(images: readonly StoredImage[], model: string): (image: string) => string | undefined {
  const world = worldOf(model)
  const readable = new Map<string, boolean>()
  const texts = new Map(images.map(({ record }) => [record.id, record.text]))
  return (image) => {
    const text = texts.get(image)
    if (text === undefined) return undefined
    return getOrAdd(readable, text, () => isReadable(text, world)) ? text : undefined
  }
}

function pairsOf(
  ofPrompts: ReadonlyMap<string, OfPrompt>,
  textOf: (image: string) => string | undefined,
): PairsToTrain {
  let [pairs, prompts, weight] = [0, 0, 0]
  for (const [text, ofPrompt] of ofPrompts) {
    const taught = (ofPrompt.taught ??= taughtBy(ofPrompt, text, textOf))
    pairs += taught.pairs
    prompts += taught.pairs > 0 ? 1 : 0
    weight += taught.choices
  }
  const choices = Math.round(weight)
  // A fifth measures little of few pairs, and of many a tenth is enough.
  const heldOut = choices / 10 >= enoughHeldOut ? 0.1 : 0.2
  const measured = prompts === 0 ? 0 : Math.round((choices * Math.floor(heldOut * prompts)) / prompts)
  const wanted = Math.ceil(enoughHeldOut / heldOut)
  return {
    pairs,
    prompts,
    missing: Math.max(0, enoughPairs - pairs),
    caveat: measured >= enoughHeldOut ? null : { choices, measured, wanted },
    settings: { heldOut, updates: updatesFor(choices) },
  }
}

function taughtBy({ standing }: OfPrompt, text: string, textOf: (image: string) => string | undefined) {
  const judgments = standing.items.map(({ judgment }) => judgment)
  const decided = preferencesOf(examplesOfJudgments(judgments, textOf)).filter((one) => !one.isTie && one.text === text)
  return { pairs: decided.length, choices: decided.reduce((sum, { weight }) => sum + weight, 0) }
}

/** Each choice about eight times in batches of 32, the usual number; few choices more often, for a policy moves at all. */
const updatesFor = (choices: number) => Math.min(mostUpdates, Math.max(leastUpdates, Math.ceil(choices / 4)))
