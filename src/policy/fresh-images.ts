/**
 * Images that a policy draws in the middle of a training, as the training sees images: clean states with their scores. By any
 * sampler, a deterministic one too: nothing of the way to an image is kept, and no density is asked for.
 */
import { sampleImages } from '../diffusion/sample.ts'
import { decodeStages, drawEarlier, drawLater, noiseOf } from '../images/draw.ts'
import { watchingStates } from '../images/finite.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { forDrawing, policyOf, type CleanStates, type GenerativeModel } from '../networks/generative-model.ts'
import type { Reward } from '../reward/reward.ts'
import type { StreamPath } from '../streams.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, tensor } from '../tensor/create.ts'
import { alone, shareOf } from '../tensor/group.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { RolloutSettings } from './rollout.ts'

/** N images; of several processes each has the states of those that it drew, and all have what is said of them. */
export interface FreshImages {
  /** N prompts. */
  readonly texts: readonly string[]
  /** Which of the N this process drew, in a row: n. */
  readonly own: { readonly from: number; readonly to: number }
  /** [n, …] each, float32, on the policy's device. */
  readonly states: CleanStates
  /** N numbers. */
  readonly rewards: readonly number[]
}

/**
 * Draws an image a text and scores it. The noise of image i is the stream of `noisePath(i)`, and what is drawn does not depend
 * on how many processes share it. The tensors of the result belong to the caller's scope.
 *
 * @throws {DivergenceError} a state, or a pixel, is not finite
 */
export function drawFreshImages(
  policy: GenerativeModel,
  reward: Reward,
  texts: readonly string[],
  noisePath: (index: number) => StreamPath,
  settings: Omit<RolloutSettings, 'observer'>,
): FreshImages {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const { batchSize, group = alone } = settings
  const own = shareOf(group, texts.length)
  // Who has none draws one all the same, for the shapes of what it has none of.
  const to = Math.max(own.to, own.from + 1)
  const drawing = forDrawing(policy)
  const parts: ReturnType<typeof drawBatch>[] = []
  for (let from = own.from; from < to; from += batchSize) {
    const batch = texts.slice(from, Math.min(from + batchSize, to))
    parts.push(drawBatch(drawing, reward, batch, (i) => noisePath(from + i), settings))
  }
  const rows = own.to - own.from
  const joined = (of: (states: CleanStates) => Tensor) =>
    scope.keep(cat(parts.map(({ states }) => of(states))).slice(0, 0, rows))
  const rewards = parts.flatMap((part) => part.rewards).slice(0, rows)
  return {
    texts,
    own,
    states: {
      x0: joined(({ x0 }) => x0),
      earlier: parts[0].states.earlier.map((_, place) => joined(({ earlier }) => earlier[place])),
    },
    rewards: group.gather(tensor(rewards, undefined, 'float64')).toArray(),
  }
}

function drawBatch(
  policy: GenerativeModel,
  reward: Reward,
  texts: readonly string[],
  noisePath: (index: number) => StreamPath,
  { sampler, guidance }: Pick<RolloutSettings, 'sampler' | 'guidance'>,
): { readonly states: CleanStates; readonly rewards: readonly number[] } {
  using scope = tensorScope()
  const stage = policyOf(policy)
  const rows = { texts, prompts: encodePrompts(policy, texts), paths: texts.map((_, i) => noisePath(i)) }
  const earlier = drawEarlier(policy, rows)
  const noise = noiseOf(policy, stage, rows.paths, sampler.steps.length)
  const predict = guidedPredictor(stage, rows.prompts, { texts, earlier }, guidance)
  const x0 = watchingStates((watch) => sampleImages({ predict, sampler, noise, watch }))
  const samples = drawLater(policy, rows, [...earlier, x0])
  const rewards = reward.score(decodeStages(policy, samples), texts).toArray()
  return { states: { x0: scope.keep(x0), earlier: earlier.map((each) => scope.keep(each)) }, rewards }
}
