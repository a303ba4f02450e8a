/** The pairs of the store of which people preferred one image: what a policy can learn from without a reward. */
import type { FeedbackStore } from '../feedback/store/store.ts'
import { trainingJudgments } from '../feedback/training-judgments.ts'
import type { Judgment } from '../records.ts'
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

export class PairBook {
  readonly #store: FeedbackStore
  readonly #model: string
  #known: { readonly from: readonly unknown[]; readonly pairs: PairsToTrain } | undefined

  constructor(store: FeedbackStore, model: string) {
    this.#store = store
    this.#model = model
  }

  /** The same object until something changes. */
  async all(): Promise<PairsToTrain> {
    const [images, judgments] = await Promise.all([this.#store.images(), trainingJudgments(this.#store)])
    const from = [images, ...judgments]
    const isSame = this.#known?.from.length === from.length && from.every((one, i) => one === this.#known!.from[i])
    if (isSame) return this.#known!.pairs
    const world = worldOf(this.#model)
    const readable = new Map<string, boolean>()
    const texts = new Map(images.map(({ record }) => [record.id, record.text]))
    const textOf = (image: string) => {
      const text = texts.get(image)
      if (text === undefined) return undefined
      if (!readable.has(text)) readable.set(text, isReadable(text, world))
      return readable.get(text) ? text : undefined
    }
    const pairs = pairsOf(judgments, textOf)
    this.#known = { from, pairs }
    return pairs
  }
}

/** @param textOf prompt of an image; undefined of one that the model cannot learn from */
function pairsOf(judgments: readonly Judgment[], textOf: (image: string) => string | undefined): PairsToTrain {
  const decided = preferencesOf(examplesOfJudgments(judgments, textOf)).filter(({ isTie }) => !isTie)
  const pairs = decided.length
  const prompts = new Set(decided.map(({ text }) => text)).size
  const choices = Math.round(decided.reduce((sum, { weight }) => sum + weight, 0))
  // A fifth measures little of few pairs, and of many a tenth is enough.
  const heldOut = choices / 10 >= enoughHeldOut ? 0.1 : 0.2
  const measured = prompts === 0 ? 0 : Math.round((choices * Math.floor(heldOut * prompts)) / prompts)
  const wanted = Math.ceil(enoughHeldOut / heldOut)
  return {
    pairs,
    prompts,
    lack: pairs >= enoughPairs ? null : lackOf(enoughPairs - pairs),
    caveat:
      measured >= enoughHeldOut
        ? null
        : `They count as ${choices} independent ${choices === 1 ? 'choice' : 'choices'}, of which ${measured} of other prompts would measure the policy: too few to show that it prefers what people prefer. That takes about ${wanted}, of ten prompts and more. Until then only the blind comparison tells.`,
    settings: { heldOut, updates: updatesFor(choices) },
  }
}

const lackOf = (left: number) =>
  `${left} more ${left === 1 ? 'pair' : 'pairs'} with a better image would be enough to train from pairs straight away.`

/** Each choice about eight times in batches of 32, the usual number; few choices more often, for a policy moves at all. */
const updatesFor = (choices: number) => Math.min(mostUpdates, Math.max(leastUpdates, Math.ceil(choices / 4)))
