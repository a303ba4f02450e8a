/**
 * Roll-outs: denoising as a multi-step decision process (Fan et al. 2023, Eq. 4). The state is (z, x_t), the action
 * x_{t-1} ~ N(μ_θ(x_t, t, z), σ_t² I), the reward r(x_0, z) comes at the end. Roll-outs do not know which algorithm will
 * use them.
 */
import type { Sampler } from '../diffusion/process.ts'
import { sampleTrajectories } from '../diffusion/sample.ts'
import { drawEarlier, drawLater, noiseOf } from '../images/draw.ts'
import { watchingStates } from '../images/finite.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { forDrawing, policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import type { Reward } from '../reward/reward.ts'
import type { StreamPath } from '../streams.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, stack, tensor } from '../tensor/create.ts'
import { alone, shareOf, type Group } from '../tensor/group.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * N denoising chains of a policy, with what their consumer asked to keep of them. The chains themselves are large, so each of
 * several processes has those that it drew alone: n of them, all N where there is one. What is said of them, all have.
 */
export interface Rollouts {
  /** N prompts. */
  readonly texts: readonly string[]
  /** By which all were drawn. */
  readonly sampler: Sampler
  /** Which of the N this process drew, in a row: n. */
  readonly own: { readonly from: number; readonly to: number }
  /** x_0 of the model's stages before the policy's, [n, …] each: the policy was told of them. */
  readonly earlier: readonly Tensor[]
  /** x_T … x_0: steps + 1 tensors [n, …], float32 as the log-density uses them, on the policy's device. */
  readonly states: readonly Tensor[]
  /** Noise of each step, [n, steps + 1, …] with x_T first: the action's mean was x_{t-1} − σ_t · noise. */
  readonly noise: Tensor
  /** σ of each step: steps tensors [n], or [n, …] as the states. */
  readonly sigmas: readonly Tensor[]
  /** r(x_0, z), N numbers. */
  readonly rewards: readonly number[]
  /**
   * What an `Observer` said of each step or of the last one that it was shown: steps tensors [N, …] on the CPU, none
   * without one.
   */
  readonly observed: readonly Tensor[]
}

/** A state of some trajectories on the way, with what the policy says of it. */
interface Observed {
  readonly texts: readonly string[]
  /** See {@link Rollouts}, [B, …] each. */
  readonly earlier: readonly Tensor[]
  /** x_t [B, …]: where the step begins. */
  readonly xt: Tensor
  /** The guided prediction at x_t, [B, …]. */
  readonly prediction: Tensor
  /** Place of the step in the order of sampling, B times. */
  readonly at: readonly number[]
}

/**
 * What somebody wants to know of states, [B, …], on any device: roll-outs compute nothing for nobody, and read what was said
 * when all steps are done. Of a long trajectory only about `mostObserved` states are shown, evenly spaced, and what was said
 * of one holds until the next: to look at a state takes about as long as to draw the step (docs/benchmarks.md has what V
 * loses by it).
 */
export type Observer = (state: Observed) => Tensor
const mostObserved = 10

/** How a policy is rolled out. */
export interface RolloutSettings {
  readonly sampler: Sampler
  readonly guidance: number
  /** Roll-outs computed at once. */
  readonly batchSize: number
  readonly observer?: Observer
  /** The stream of trajectory i's x_T, where it is not that of the rest of its noise: trajectories of one begin alike. */
  readonly startPath?: (index: number) => StreamPath
  /** The processes that share them. */
  readonly group?: Group
}

/**
 * Rolls the policy out, one trajectory a text. The noise of trajectory i is the stream of `noisePath(i)`. Stages before and
 * after the policy's belong to the environment: they are drawn as well, and nothing of their way is kept.
 * The tensors of the result belong to the caller's scope.
 *
 * @throws {DivergenceError} a state is not finite
 */
export function rollOut(
  policy: GenerativeModel,
  reward: Reward,
  texts: readonly string[],
  noisePath: (index: number) => StreamPath,
  settings: RolloutSettings,
): Rollouts {
  using scope = tensorScope()
  const { batchSize, startPath, group = alone } = settings
  const own = shareOf(group, texts.length)
  // Who has none draws one all the same, for the shapes of what it has none of.
  const to = Math.max(own.to, own.from + 1)
  const drawing = forDrawing(policy)
  const parts: Rollouts[] = []
  for (let from = own.from; from < to; from += batchSize) {
    const batch = texts.slice(from, Math.min(from + batchSize, to))
    const paths = batch.map((_, i) => noisePath(from + i))
    const starts = startPath && batch.map((_, i) => startPath(from + i))
    parts.push(rollOutBatch(drawing, reward, { texts: batch, paths, starts }, settings))
  }
  const rows = own.to - own.from
  const joined = (pick: (part: Rollouts) => readonly Tensor[]) =>
    pick(parts[0]).map((_, place) => cat(parts.map((part) => pick(part)[place])).slice(0, 0, rows))
  const rewards = parts.flatMap((part) => part.rewards).slice(0, rows)
  const observed = group.gatherAll(joined((part) => part.observed))
  const every = showsEvery(settings.sampler)
  const all = {
    texts,
    sampler: settings.sampler,
    own,
    earlier: joined(({ earlier }) => earlier),
    states: joined(({ states }) => states),
    noise: joined(({ noise }) => [noise])[0],
    sigmas: joined(({ sigmas }) => sigmas),
    rewards: group.gather(tensor(rewards, undefined, 'float64')).toArray(),
    observed: settings.sampler.steps.flatMap((_, step) => observed.slice(Math.floor(step / every)).slice(0, 1)),
  }
  for (const kept of [...all.earlier, ...all.states, all.noise, ...all.sigmas, ...observed]) scope.keep(kept)
  return all
}

/** An observer is shown the states of every so many steps. */
const showsEvery = ({ steps }: Sampler) => Math.max(1, Math.floor(steps.length / mostObserved))

/** As a process alone would have them, but that `observed` has the shown steps only. */
function rollOutBatch(
  policy: GenerativeModel,
  reward: Reward,
  drawn: {
    readonly texts: readonly string[]
    readonly paths: readonly StreamPath[]
    readonly starts: readonly StreamPath[] | undefined
  },
  { sampler, guidance, observer }: RolloutSettings,
): Rollouts {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const stage = policyOf(policy)
  const { texts, paths, starts } = drawn
  const rows = { texts, prompts: encodePrompts(policy, texts), paths }
  const earlier = drawEarlier(policy, rows)
  const noise = withStarts(
    noiseOf(policy, stage, paths, sampler.steps.length),
    starts && noiseOf(policy, stage, starts, 0),
  )
  const predict = guidedPredictor(stage, rows.prompts, { texts, earlier }, guidance)
  const { states, sigmas, predictions } = watchingStates((watch) =>
    sampleTrajectories({ predict, sampler, noise, watch }),
  )
  const every = showsEvery(sampler)
  const observed: Tensor[] = []
  for (const [step, prediction] of observer === undefined ? [] : predictions.entries()) {
    if (step % every > 0) continue
    using shown = tensorScope()
    const at = new Array<number>(texts.length).fill(step)
    observed.push(shown.keep(observer!({ texts, earlier, xt: states[step], prediction, at })))
  }
  const seen = onHost(observed)
  const samples = drawLater(policy, rows, [...earlier, states[states.length - 1]])
  const rewards = reward.score(policy.decode(samples), texts).toArray()
  for (const tensor of [noise, ...earlier, ...states, ...sigmas, ...seen]) scope.keep(tensor)
  const own = { from: 0, to: texts.length }
  return { texts, sampler, own, earlier, states, noise, sigmas, rewards, observed: seen }
}

/** Noise [B, steps + 1, …] with another x_T, [B, 1, …]. */
function withStarts(noise: Tensor, starts: Tensor | undefined): Tensor {
  return starts === undefined ? noise : cat([starts, noise.slice(1, 1, noise.shape[1])], 1)
}

/** Tensors of one shape on the CPU, in one copy. */
function onHost(tensors: readonly Tensor[]): readonly Tensor[] {
  if (tensors.every(({ device }) => device === 'cpu')) return tensors
  const all = stack(tensors).to('cpu')
  return tensors.map((_, place) => all.select(0, place))
}
