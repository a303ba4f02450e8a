/** Which pairs train an encoder, and which say when its training ends. */
import { random, seedOf } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import type { Comparison } from '../examples/reward-examples.ts'
import { splitByPrompt } from '../examples/split-by-prompt.ts'

/** Share of the prompts of the training. */
const share = 0.15
/** More say little more: pairs of one prompt share images. */
const most = 512

export interface PairSplit {
  readonly training: readonly Comparison[]
  /** Of other prompts; none where all pairs that say which image is better are of one prompt. */
  readonly validation: readonly Comparison[]
}

/** Holds the pairs of some prompts out, so that both sides say of some images that they are better. */
export function splitPairs(pairs: readonly Comparison[], seed: number): PairSplit {
  const decided = new Set(pairs.flatMap(({ text, isTie }) => (isTie ? [] : [text])))
  if (decided.size < 2) return { training: pairs, validation: [] }
  const own = seedOf(...rewardStreams.encoderSplit(seed))
  const { training, heldOut } = splitByPrompt({ labels: [], comparisons: pairs }, share, own)
  const validation = random(...rewardStreams.encoderPairs(own, 0)).shuffle(heldOut.comparisons)
  return { training: training.comparisons, validation: validation.slice(0, most) }
}
