/** Low-rank adapters under training (Hu et al. 2021, LoRA), and a change of a network as named tensors. */
import { z } from 'zod'
import { randn, zeros } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Adapter, Change } from './weights.ts'

export const adapterFields = {
  rank: z
    .int()
    .positive()
    .max(1024)
    .default(8)
    .describe('Rank of the adapters; beyond 1024 they are as large as the layers, which can be trained whole.'),
  loraAlpha: z.number().positive().default(8).describe('The adapters’ change is scaled by alpha / rank.'),
}

/** Config field of everything that takes gradients through a large network. */
export const gradientCheckpointingField = {
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe('Computes each block of the network twice to save memory; the result is the same up to rounding.'),
}

/** Behind the name of the weight that an adapter changes. */
export const [downSuffix, upSuffix] = ['.lora.down', '.lora.up']

/**
 * A pair that changes nothing yet: A is drawn with standard deviation 1/√fan-in, and B = 0. Float32.
 *
 * @param shape of the weight, [out, in] or [out, in, k, k]
 * @param seed  of A
 */
export function freshAdapter(
  [out, inputs, ...kernel]: readonly number[],
  rank: number,
  seed: number,
  device: string,
): Pick<Adapter, 'down' | 'up'> {
  const fanIn = kernel.reduce((product, side) => product * side, inputs)
  const down = randn([rank, inputs, ...kernel], new Generator(seed)).mul_(1 / Math.sqrt(fanIn))
  return { down: down.to(device), up: zeros([out, rank, ...kernel.map(() => 1)], 'float32', device) }
}

/** A float32 leaf with the values of a weight, to be trained in its place. */
export const trainedCopy = (weight: Tensor): Tensor =>
  zeros(weight.shape, 'float32', weight.device).copy_(weight.detach())

/** A change as named tensors: parameters by their names, adapters as `<weight>.lora.down` and `<weight>.lora.up`. */
export function parametersOf({ trained, adapters }: Change): Map<string, Tensor> {
  const named = new Map(trained)
  for (const [name, { down, up }] of adapters ?? []) named.set(name + downSuffix, down).set(name + upSuffix, up)
  return named
}

/** The inverse of {@link parametersOf}. @param scale alpha / rank, of all adapters */
export function changeOf(parameters: ReadonlyMap<string, Tensor>, scale: number): Change {
  const trained = new Map<string, Tensor>()
  const adapters = new Map<string, Adapter>()
  for (const [name, tensor] of parameters) {
    if (name.endsWith(downSuffix)) {
      const target = name.slice(0, -downSuffix.length)
      adapters.set(target, { down: tensor, up: parameters.get(target + upSuffix)!, scale })
    } else if (!name.endsWith(upSuffix)) trained.set(name, tensor)
  }
  return { trained, adapters }
}

/** The change that other values of the same parameters make, by their names. */
export function changeWith({ trained, adapters }: Change, values: ReadonlyMap<string, Tensor>): Change {
  const pairs = [...(adapters ?? [])].map(([name, { down, up, scale }]): [string, Adapter] => [
    name,
    { down: values.get(name + downSuffix) ?? down, up: values.get(name + upSuffix) ?? up, scale },
  ])
  return {
    trained: new Map([...(trained ?? [])].map(([name, own]) => [name, values.get(name) ?? own])),
    adapters: new Map(pairs),
  }
}
