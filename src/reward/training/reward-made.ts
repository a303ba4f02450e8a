/** What a run of `reward train` has made of its judgments: a head on the frozen encoder, or an encoder that was trained. */
import type { Embedded } from '../encoding/embeddings.ts'
import type { StoredImageFile } from '../examples/read-examples.ts'
import type { RewardQuality } from './measure-reward.ts'

/** Its tensors go with it. */
export interface RewardMade extends Disposable {
  /** Of the judged images, in (0, 1): what is held against the judgments of people. */
  readonly scores: readonly number[]
  /** The same of other images of the store. @param frozen they and their prompts, by the encoder as it was */
  scoreOthers(others: readonly StoredImageFile[], frozen: Embedded): Promise<readonly number[]>
  /** Davidson's ν; null where it is not known. */
  readonly nu: number | null
  /** Null where nothing was held out. */
  readonly heldOut: (RewardQuality & { readonly prompts: number }) | null
  /** What is said at the end, in lines. */
  readonly words: readonly string[]
  /** Of the results, what it alone has. */
  readonly facts: Readonly<Record<string, unknown>>
  readonly note: string
}
