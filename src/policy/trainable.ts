/** What a fine-tuning run may change. Everything else is shared with the frozen reference. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { adapterLayers, type GenerativeModel } from '../networks/generative-model.ts'
import {
  adapterFields,
  changeOf,
  downSuffix,
  freshAdapter,
  parametersOf,
  trainedCopy,
  upSuffix,
} from '../networks/adapters.ts'
import type { Adapter, Change } from '../networks/weights.ts'
import { tellNote } from '../notes.ts'
import { seedOf } from '../random.ts'
import { policyStreams } from '../streams.ts'
import { Ema } from '../tensor/ema.ts'
import { tensorScope } from '../tensor/scope.ts'
import { operator, type Tensor } from '../tensor/tensor.ts'

export const trainableFields = {
  parameters: z
    .enum(['text', 'lora', 'all'])
    .nullable()
    .default(null)
    .describe(
      'What is trained: the part that reads the prompt, low-rank adapters, or everything; text for shapes and lora for real checkpoints without it.',
    ),
  ...adapterFields,
  loraLayers: z
    .array(z.enum(adapterLayers))
    .min(1)
    .default(['attention'])
    .describe('Layers that get adapters: attention (to_q, to_k, to_v, to_out), feed-forward, convolutions.'),
  emaDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Decay of a running average of what is trained, over about 1 / (1 − decay) updates, which should be far fewer than there are: the average is drawn from, measured and saved, while training goes on with the weights themselves. 0 keeps none.',
    ),
}

type TrainableSettings = z.infer<z.ZodObject<typeof trainableFields>>
/** What of a model is trained; no average is kept without a decay. */
export type Trainable = Omit<TrainableSettings, 'emaDecay'> & Partial<Pick<TrainableSettings, 'emaDecay'>>

/** A change under training: float32 leaves by their names, and the change that they make. */
export interface TrainableChange {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly change: Change
  /** Follows every update of the parameters. */
  readonly average?: { readonly ema: Ema; readonly change: Change }
}

/** What others get to see of a change under training: its running average, where there is one. */
export function shownChange(trainable: TrainableChange): Pick<TrainableChange, 'parameters' | 'change'> {
  const { average } = trainable
  return average === undefined ? trainable : { parameters: average.ema.values(), change: average.change }
}

/** Tensors of a saved state under the names of {@link parametersOf}: states of version 0.1 call a pair `.lora_A`, `.lora_B`. */
export function underPresentNames(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const present = (name: string) => name.replace(/\.lora_A$/, downSuffix).replace(/\.lora_B$/, upSuffix)
  return new Map([...tensors].map(([name, tensor]) => [present(name), tensor]))
}

/** The change that an earlier run or a LoRA file makes. */
export interface PolicyChange {
  readonly file: string
  readonly change: Change
}

/**
 * Starts from the pre-trained model, or from an earlier run's change of the same kind. Adapters start with B = 0, so that
 * the policy starts as the model it came from. Earlier adapters may have another rank: a higher one holds them whole, a
 * lower one their largest singular directions. Their layers are trained as well as those that are asked for; notes tell.
 * @throws {FormatError} the earlier run trained other parameters
 */
export function trainableChange(
  model: GenerativeModel,
  { parameters, rank, loraAlpha, loraLayers, emaDecay = 0 }: Trainable,
  seed: number,
  earlier?: PolicyChange,
): TrainableChange {
  const kind = parameters ?? model.defaults.parameters
  const made = new Map<string, Tensor>()
  for (const [name, tensor] of model.weights.tensors()) {
    if (kind === 'lora') {
      if (!model.isAdapterTarget(name, loraLayers) && !earlier?.change.adapters?.has(name)) continue
      const seedOfOne = seedOf(...policyStreams.adapter(seed, made.size))
      const { down, up } = freshAdapter(tensor.shape, rank, seedOfOne, model.device)
      made.set(name + downSuffix, down).set(name + upSuffix, up)
    } else if (kind === 'all' || model.isTextPath(name)) {
      made.set(name, trainedCopy(tensor))
    }
  }
  const scale = loraAlpha / rank
  if (earlier !== undefined) goOnFrom(earlier, made, scale, kind)
  const ema = emaDecay === 0 ? undefined : new Ema(made, emaDecay)
  for (const tensor of made.values()) tensor.requireGrad()
  return {
    ...{ parameters: made, change: changeOf(made, scale) },
    ...(ema && { average: { ema, change: changeOf(ema.values(), scale) } }),
  }
}

/** Copies an earlier change. Adapters may have another scale: it moves into B. */
function goOnFrom(
  { file, change }: PolicyChange,
  made: ReadonlyMap<string, Tensor>,
  scale: number,
  kind: string,
): void {
  const earlier = kind === 'lora' ? new Map(change.trained) : parametersOf(change)
  const expected = kind === 'lora' ? [] : [...made.keys()]
  for (const name of new Set([...expected, ...earlier.keys()])) {
    const own = made.get(name)
    const tensor = earlier.get(name)
    if (own === undefined || own.shape.join() !== tensor?.shape.join()) {
      throw new FormatError({
        where: `${file} ${name}`,
        expected: own === undefined ? `the parameters of --parameters ${kind}` : `shape [${own.shape.join(', ')}]`,
        received: tensor === undefined ? 'a policy without it' : `one of [${tensor.shape.join(', ')}]`,
        remedy: 'continue with the same --parameters as that run',
      })
    }
    own.copy_(tensor)
  }
  if (kind === 'lora') continueAdapters(file, change.adapters ?? new Map<string, Adapter>(), made, scale)
}

/** Puts earlier adapters into those made, of another rank or of more layers where it is so. */
function continueAdapters(
  file: string,
  earlier: ReadonlyMap<string, Adapter>,
  made: ReadonlyMap<string, Tensor>,
  scale: number,
): void {
  const targets = [...made.keys()].filter((name) => name.endsWith(downSuffix)).map((name) => name.slice(0, -downSuffix.length)) // prettier-ignore
  const ranks = new Set<number>()
  let [kept, all] = [0, 0]
  for (const [name, adapter] of earlier) {
    const [down, up] = [made.get(name + downSuffix)!, made.get(name + upSuffix)!]
    const [rank, before] = [down.shape[0], adapter.down.shape[0]]
    const factor = adapter.scale / scale
    if (before <= rank) {
      down.slice(0, 0, before).copy_(adapter.down)
      up.slice(1, 0, before).copy_(adapter.up)
      if (factor !== 1) up.mul_(factor)
    } else {
      const shares = truncate(adapter, down, up, factor)
      kept += shares.kept
      all += shares.all
    }
    if (before !== rank) ranks.add(before)
  }
  const rank = made.values().next().value?.shape[0]
  if (ranks.size > 0) {
    const lost = all === 0 ? 'which hold them whole' : `by singular values: ${((100 * kept) / all).toFixed(1)} % of their squared change is kept` // prettier-ignore
    tellNote(`${file}: adapters of rank ${[...ranks].join(', ')} go on as adapters of rank ${rank}, ${lost}`)
  }
  const added = targets.filter((name) => !earlier.has(name)).length
  if (added > 0)
    tellNote(`${file}: ${earlier.size} layers go on from it; ${added} others begin as they were pre-trained`)
}

/** The best approximation of B A by the rank of the new adapters, its singular values shared between both. */
function truncate(adapter: Adapter, down: Tensor, up: Tensor, factor: number): { kept: number; all: number } {
  using _scope = tensorScope()
  const rank = down.shape[0]
  const change = adapter.up.flatten(1).to('float32').matmul(adapter.down.flatten(1).to('float32'))
  const [u, s, vh] = svd(change, false)
  const root = s.slice(0, 0, rank).sqrt()
  const count = root.shape[0]
  down.slice(0, 0, count).copy_(
    vh
      .slice(0, 0, rank)
      .mul(root.unsqueeze(1))
      .reshape(count, ...down.shape.slice(1)),
  )
  up.slice(1, 0, count).copy_(
    u
      .slice(1, 0, rank)
      .mul(root)
      .reshape(up.shape[0], count, ...up.shape.slice(2)),
  )
  if (factor !== 1) up.mul_(factor)
  return { kept: s.slice(0, 0, rank).square().sum().item(), all: s.square().sum().item() }
}

const svd = operator<[matrix: Tensor, full: boolean], [u: Tensor, s: Tensor, vh: Tensor]>('linalg_svd')

/** Merges adapters into full weights: W + scale · B A. The inverse is to go back to the unmerged weights. */
export function mergeAdapters(model: GenerativeModel, change: Change): Map<string, Tensor> {
  const merged = new Map(change.trained)
  for (const [name, { down, up, scale }] of change.adapters ?? []) {
    const weight = merged.get(name) ?? model.weights.tensors().get(name)!
    const change = up.flatten(1).matmul(down.flatten(1)).mul(scale)
    merged.set(name, weight.add(change.reshape(...weight.shape)))
  }
  return merged
}
