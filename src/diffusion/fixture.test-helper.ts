import { readFileSync } from 'node:fs'
import type { PredictionType } from './schedule.ts'

/** Numbers of PyTorch and diffusers; `test/fixtures/diffusion.py` makes them. */
export interface DiffusionFixture {
  readonly chains: readonly {
    readonly predictionType: PredictionType
    readonly eta: number
    readonly finalAlphaBarIsOne: boolean
    readonly spacing: 'leading' | 'trailing' | 'linspace'
    readonly timesteps: readonly number[]
    /** 11 x 3 */
    readonly noise: readonly number[][]
    /** 10 x 3 */
    readonly predictions: readonly number[][]
    /** 11 x 3 */
    readonly states: readonly number[][]
  }[]
  readonly timesteps: readonly {
    readonly spacing: 'leading' | 'trailing' | 'linspace'
    readonly steps: number
    readonly timesteps: readonly number[]
  }[]
  readonly alphaBar: Readonly<Record<'linear' | 'scaledLinear' | 'cosine', Readonly<Record<string, number>>>>
  readonly gaussian: {
    readonly x: readonly number[][]
    readonly mean: readonly number[][]
    readonly reference: readonly number[][]
    readonly sigma: readonly number[]
    readonly logDensity: readonly number[]
    readonly kl: readonly number[]
  }
}

export const fixture = JSON.parse(
  readFileSync(new URL('../../test/fixtures/diffusion.json', import.meta.url), 'utf8'),
) as DiffusionFixture
