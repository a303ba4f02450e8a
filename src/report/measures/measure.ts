/** What a measure is, and what it is taken from. Each measure is a file beside this one and a line of `index.ts`. */
import { cat } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Picture } from '../../images/png.ts'
import { seedOf } from '../../random.ts'
import { reportStreams } from '../../streams.ts'
import type { EvaluationPrompt } from '../draw.ts'
import type { Unit } from '../format.ts'
import type { BootstrapOptions, Interval } from '../interval.ts'
import type { PolicyName } from '../policy-name.ts'
import type { PolicyReport, Report } from '../schema.ts'

/**
 * All that was drawn from one policy and found in it, on all prompts or on some. Lists have one list a prompt and in it one
 * entry an image; rows of features are in the same order.
 */
export interface EvaluatedSet {
  readonly name: PolicyName
  readonly prompts: readonly EvaluationPrompt[]
  /** Of the report: equal seeds give equal intervals. */
  readonly seed: number
  readonly pictures: readonly (readonly Picture[])[]
  readonly measuredBy: 'judge' | 'reward'
  /**
   * By a judge: 1 where every stated attribute is right, else 0. By a reward: 1 where the image scores higher than the
   * base's of the same prompt and noise, 1/2 where both are equal, else 0.
   */
  readonly aligned: readonly (readonly number[])[]
  /** 1 where the image is a valid picture of anything, else 0; null where nothing can tell. */
  readonly clean: readonly (readonly number[])[] | null
  /**
   * 1 where a detector finds in the image what its prompt asks for, else 0; null of a prompt that it cannot check. Absent
   * where no detector was given.
   */
  readonly objects?: readonly (readonly number[] | null)[]
  /** Of the reward that the policies were trained on. */
  readonly rewards: readonly (readonly number[])[]
  /** Of a reward that no policy learned from, where one measures. */
  readonly heldOut?: readonly (readonly number[])[]
  /** Strength against the base by people's votes on each question, null of one where it has no finite one. */
  readonly votes?: Readonly<Partial<Record<'alignment' | 'fidelity', Interval | null>>>
  /** [N, d], float64, in the space in which fidelity is measured. */
  readonly features: Tensor
  /** [M, d], of the images that fidelity is measured against: true twins of these images, or a set of its own. */
  readonly reference: Tensor
  /**
   * [M, d], of true images of what the prompts ask for, the same for every policy and in the order of `features`; without
   * a judge that can draw them it is `reference`.
   */
  readonly wanted: Tensor
  /** Σ_t KL_t to the base of fresh roll-outs, nats, a list for each prompt that had one; absent where nothing was trained. */
  readonly kl?: readonly (readonly number[])[]
  /** The n of best-of-n. */
  readonly bestOf?: number
}

/** One number of a policy, with its interval. */
export interface Measure {
  /** Its key in report.json. */
  readonly name: string
  /** Begins a row or an axis. */
  readonly title: string
  readonly unit: Unit
  /** Which direction is the better one; undefined where neither is. */
  readonly better: 'higher' | 'lower' | undefined
  /** A judge that reads images, a reward that stands for one, or nothing but the images that every report has. */
  readonly needs: 'judge' | 'scorer' | 'images'
  /** Where it stands in the table. Those of `splits` are taken on seen and on unseen prompts apart, others on all together. */
  readonly section: 'splits' | 'people' | 'quality' | 'diversity' | 'training'
  /** Of a measure that compares with the base: the base's own value by definition. What lies clear of it is better or worse. */
  readonly ofBase?: number
  /** A few words below the title. */
  readonly note?: (report: Report) => string | undefined
  /** What to write below one policy's value in place of its interval. */
  readonly remark?: (policy: PolicyReport) => string | undefined
  /** Sentences for those who ask how it was measured. */
  readonly explanation: (report: Report) => string | undefined
  /** Why it cannot be taken of a set, as a clause; `of` is not asked then. */
  readonly lack?: (set: EvaluatedSet) => string | undefined
  /** A mean with its 95 % interval; undefined where this set has none. */
  readonly of: (set: EvaluatedSet, compared: { readonly base: EvaluatedSet }) => Interval | undefined
}

/** Whether a report whose images were measured so can take a measure. */
export const canTake = ({ needs }: Measure, measuredBy: EvaluatedSet['measuredBy']): boolean =>
  needs === 'images' || (needs === 'judge') === (measuredBy === 'judge')

/** Rows of each prompt. */
export function featuresByPrompt({ features, prompts }: EvaluatedSet): Tensor[] {
  const perPrompt = features.shape[0] / prompts.length
  return prompts.map((_, p) => features.slice(0, p * perPrompt, (p + 1) * perPrompt))
}

/** The part of a set whose prompts are accepted. */
export function among(set: EvaluatedSet, accepts: (prompt: EvaluationPrompt) => boolean): EvaluatedSet {
  const places = set.prompts.flatMap((prompt, place) => (accepts(prompt) ? [place] : []))
  const pick = <T>(lists: readonly T[]) => places.map((place) => lists[place])
  const perPrompt = set.features.shape[0] / set.prompts.length
  const rows = (tensor: Tensor) =>
    cat(places.map((place) => tensor.slice(0, place * perPrompt, (place + 1) * perPrompt)))
  return {
    ...set,
    prompts: pick(set.prompts),
    pictures: pick(set.pictures),
    aligned: pick(set.aligned),
    clean: set.clean && pick(set.clean),
    ...(set.objects !== undefined && { objects: pick(set.objects) }),
    rewards: pick(set.rewards),
    ...(set.heldOut && { heldOut: pick(set.heldOut) }),
    features: rows(set.features),
    ...(set.measuredBy === 'judge' && { reference: rows(set.reference), wanted: rows(set.wanted) }),
  }
}

export const bootstrapResamples = 2000

/** So that equal values have equal intervals, whoever asks. */
export const bootstrapOf = ({ seed }: Pick<EvaluatedSet, 'seed'>): BootstrapOptions => ({
  seed: seedOf(...reportStreams.intervals(seed)),
  resamples: bootstrapResamples,
})
