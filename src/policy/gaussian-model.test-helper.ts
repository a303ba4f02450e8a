/**
 * The closed Gaussian chain behind the interface of a text-to-image model: 2 × 2 elements that do not see each other,
 * four training times, and an x0-prediction slope · xₜ + offset + shift[text, t] whose shifts are the only parameter. The
 * reward is the sum of c·x₀ over elements, so each element is the chain of `gaussian-chain.test-helper.ts`.
 */
import type { DdimSampler } from '../diffusion/ddim.ts'
import { chainOfSampler, type GaussianChain } from '../diffusion/gaussian-chain.test-helper.ts'
import { scheduleFromAlphaBar } from '../diffusion/schedule.ts'
import { VariancePreserving } from '../diffusion/variance-preserving.ts'
import type { CleanStates, Conditioning, GenerativeModel, ModelStage } from '../networks/generative-model.ts'
import { Weights, type Change } from '../networks/weights.ts'
import type { Reward } from '../reward/reward.ts'
import { cat, tensor, zeros } from '../tensor/create.ts'
import { Ema } from '../tensor/ema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainableChange } from './trainable.ts'

/** Row 0 is the empty prompt. */
const texts = ['', 'low', 'high'] as const
export const elements = 4
export const slope = 0.6
export const offset = 0.1
const times = 4

export const schedule = scheduleFromAlphaBar({ alphaBar: [0.9, 0.6, 0.3, 0.05], predictionType: 'x0' })
export const process = new VariancePreserving({ schedule, timesteps: () => [3, 2, 1, 0] })

/** slope · xₜ + offset + the shift of the time, of states of any shape. */
export function predict(xt: Tensor, t: Tensor, { shift }: Conditioning): Tensor {
  let own = shift.gather(1, t.unsqueeze(1))
  while (own.shape.length < xt.shape.length) own = own.unsqueeze(-1)
  return xt.mul(slope).add(offset).add(own)
}

/** What models of such chains have in common: the shifts by text and time are their only parameter. */
export abstract class ShiftedModel implements GenerativeModel {
  abstract readonly name: string
  abstract readonly sha256: string
  abstract readonly stages: readonly ModelStage[]
  readonly imageSize = { width: 2, height: 2 }
  readonly device = 'cpu'
  readonly defaults = { batchSize: 96, parameters: 'text' } as const
  readonly weights: Weights
  readonly policyStage: number

  constructor(weights: Weights, policyStage: number) {
    this.weights = weights
    this.policyStage = policyStage
  }

  abstract decode(samples: readonly Tensor[]): Tensor
  abstract preview(samples: readonly (Tensor | undefined)[]): Tensor
  abstract encode(pixels: Tensor): CleanStates
  abstract with(change: Change): GenerativeModel

  in(): GenerativeModel {
    return this
  }

  isTextPath(name: string): boolean {
    return name === 'shift'
  }

  isAdapterTarget(): boolean {
    return false
  }

  encodeText(prompts: readonly string[]): Conditioning {
    const rows = prompts.map((text) => texts.indexOf(text as (typeof texts)[number]))
    const shift = this.weights.parameter('shift', [texts.length, times], 'zeros')
    return { shift: shift.indexSelect(0, tensor(rows, [rows.length], 'int64')) }
  }
}

/** The shifts of a pre-trained model. They belong to the scope in force. */
export const noShifts = (): Weights => Weights.of(new Map([['shift', zeros([texts.length, times])]]))

class GaussianModel extends ShiftedModel {
  readonly name = 'gaussian'
  readonly sha256 = 'a'.repeat(64)
  readonly stages: readonly ModelStage[] = [
    {
      name: 'chain',
      process,
      stateShape: [1, 2, 2],
      sampling: { steps: times, eta: 1, guidance: 1 },
      condition: (text) => text,
      predict,
    },
  ]

  decode([x0]: readonly Tensor[]): Tensor {
    return x0.expand(-1, 3, -1, -1)
  }

  preview([x0]: readonly Tensor[]): Tensor {
    return x0
  }

  /** Pictures are 2 × 2 and grey. */
  encode(pixels: Tensor): CleanStates {
    return { x0: pixels.slice(1, 0, 1), earlier: [] }
  }

  with(change: Change): GenerativeModel {
    return new GaussianModel(this.weights.with(change), 0)
  }
}

/** Its weights belong to the scope in force. */
export function gaussianModel(): GenerativeModel {
  return new GaussianModel(noShifts(), 0)
}

/** Every time is visited, at the variance of DDPM. */
export const fullSampler: DdimSampler = process.sampler({ steps: times, eta: 1 })

/** One element of the model's chain. */
export function chainFor(
  sampler: DdimSampler,
  weights: Pick<GaussianChain, 'rewardSlope' | 'klWeight'>,
): GaussianChain {
  return chainOfSampler(sampler, () => ({ slope, offset }), weights)
}

/** The change of the mean of every step, in the order of sampling, by the shifts of one text. */
export function meanShifts(sampler: DdimSampler, shift: readonly number[]): number[] {
  return sampler.steps.map(({ t, meanPerPrediction }) => meanPerPrediction * shift[t])
}

/** A change under training that begins with these shifts, [text][time]. */
export function shiftsFrom(
  shifts: readonly (readonly number[])[] = texts.map(() => [0, 0, 0, 0]),
  emaDecay = 0,
): TrainableChange {
  const shift = tensor(shifts.flat(), [texts.length, times]).requireGrad()
  const parameters = new Map([['shift', shift]])
  const ema = new Ema(parameters, emaDecay)
  return {
    ...{ parameters, change: { trained: parameters } },
    ...(emaDecay > 0 && { average: { ema, change: { trained: ema.values() } } }),
  }
}

/** c · Σ x₀ over elements of the first channel (pictures are grey), plus what a text is worth by itself. */
export function linearReward(rewardSlope: number, bonus: (text: string) => number = () => 0): Reward {
  const score = (pixels: Tensor, prompts: readonly string[]) =>
    pixels
      .slice(1, 0, 1)
      .flatten(1)
      .sum(1)
      .mul(rewardSlope)
      .add(tensor(prompts.map(bonus)))
  return {
    name: 'linear',
    sha256: '',
    range: [-Infinity, Infinity],
    score,
    scoreWithGradient: score,
    embedImages: (pixels) => pixels.flatten(1),
    features: (pixels, prompts) =>
      cat([pixels.flatten(1).mean(1, true), tensor(prompts.map(bonus), [prompts.length, 1])], 1),
  }
}
