/** The optimiser of what is trained: a part of every algorithm, with its settings and its state. */
import { z } from 'zod'
import type { GenerativeModel, ModelDefaults } from '../networks/generative-model.ts'
import { AdamW } from '../tensor/adamw.ts'
import type { Ema } from '../tensor/ema.ts'
import { alone, type Group } from '../tensor/group.ts'
import { copyState, loweredRate, startUpdate, type Update } from '../tensor/optimise.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, under } from '../tensor/training-state.ts'
import { underPresentNames, type TrainableChange } from './trainable.ts'

/** By what a model trains unless it is told otherwise: a few full weights bear more than adapters of many layers. */
export type UsualRates = Readonly<Record<ModelDefaults['parameters'], number>>

/** Config fields of every algorithm. */
export const policyOptimiserFields = ({ text, lora }: UsualRates) => ({
  learningRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      `Learning rate of AdamW, decaying linearly to zero; without it ${text.toExponential()} for models that train what reads the prompt, as shapes, and ${lora.toExponential()} for those that train adapters, as real checkpoints.`,
    ),
  maxGradNorm: z.number().positive().default(1).describe('Gradients are clipped to this norm.'),
})
export type PolicyOptimiserSettings = z.infer<z.ZodObject<ReturnType<typeof policyOptimiserFields>>>

/** AdamW over the parameters of a change, with a learning rate that decays linearly to zero; their running average follows. */
export class PolicyOptimiser {
  /** Before it decays. */
  readonly learningRate: number
  readonly #usualRate: number
  readonly #maxGradNorm: number
  readonly #parameters: ReadonlyMap<string, Tensor>
  readonly #adamw: AdamW
  readonly #ema: Ema | undefined
  readonly #group: Group

  constructor(
    { defaults }: GenerativeModel,
    { parameters, average }: TrainableChange,
    { learningRate, maxGradNorm }: PolicyOptimiserSettings,
    usual: UsualRates,
    group: Group = alone,
  ) {
    this.#group = group
    this.#usualRate = usual[defaults.parameters]
    this.learningRate = learningRate ?? this.#usualRate
    this.#maxGradNorm = maxGradNorm
    this.#parameters = parameters
    this.#ema = average?.ema
    this.#adamw = unscoped(() => new AdamW(parameters, { learningRate: this.learningRate }))
  }

  /** @param done steps before this one, of `total` */
  rateAt(done: number, total: number): number {
    return this.learningRate * (1 - done / total)
  }

  /** Applies the gradients that have been accumulated, in all processes of the group together; its tensor belongs to the scope in force. */
  update(learningRate: number): Update {
    const options = { maxGradNorm: this.#maxGradNorm, learningRates: [learningRate], group: this.#group }
    const update = startUpdate([this.#adamw], this.#parameters, options)
    this.#ema?.update()
    return update
  }

  /** A learning rate with which a training that diverged may go well. */
  get lowerRate(): number {
    return loweredRate(this.learningRate, this.#usualRate)
  }

  /** Parameters, moments and averages. */
  state(): [string, Tensor][] {
    const averages = this.#ema?.state() ?? []
    return [...under('parameters', this.#parameters), ...under('optimiser', this.#adamw.state()), ...averages]
  }

  /** @throws {FormatError} the state of other parameters; nothing has changed then */
  load(tensors: ReadonlyMap<string, Tensor>): void {
    const named = underPresentNames(tensors)
    copyState('policy', this.#parameters, below('parameters', named))
    this.#adamw.load(below('optimiser', named))
    this.#ema?.load(named)
  }
}
