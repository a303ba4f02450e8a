/** Networks from files: checked by the headers alone before gigabytes are read. */
import { FormatError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Weights } from '../weights.ts'
import { findWeights, type FoundWeights } from './find-weights.ts'
import { loadWeights, metaWeights } from './load-weights.ts'
import type { WeightStem } from './weight-names.ts'

/** Where a network lies and how it is used. */
export interface NetworkSource {
  readonly folder: string
  readonly stem: WeightStem
  /** The name by which the network asks for a tensor. */
  readonly rename?: (key: string) => string
  /** Names of tensors that are in files and not asked for. */
  readonly ignored?: readonly string[]
  /** Runs the network once, on tensors with shapes and without elements. */
  readonly use: (weights: Weights) => void
}

/** Weights that fit their network. */
export interface CheckedNetwork {
  readonly found: FoundWeights
  /**
   * Reads the tensors; they belong to the caller.
   * @throws {FormatError} see `loadWeights`
   */
  load(placement: { readonly dtype: Dtype; readonly device: string }): Map<string, Tensor>
}

/**
 * Finds the weights of a network and checks that every tensor that it asks for is there with the right shape, and no
 * other one.
 *
 * @throws {FileError} no weights, or pickles only
 * @throws {FormatError} names file and key
 */
export function checkNetwork({
  folder,
  stem,
  rename = (key) => key,
  ignored = [],
  use,
}: NetworkSource): CheckedNetwork {
  const found = findWeights(folder, stem)
  const keyOf = new Map([...found.entries.keys()].map((key) => [rename(key), key]))
  const place = (name: string) => {
    const key = keyOf.get(name) ?? name
    return `${found.entries.get(key)?.file ?? found.files.join(', ')} ${key}`
  }
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const weights = Weights.of(metaWeights(found, { rename }), { dtype: 'float32' })
  try {
    use(weights)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    const { where, expected, received, remedy } = cause
    throw new FormatError({ where: place(where), expected, received, remedy, cause })
  }
  const extra = weights.unasked().filter((name) => !ignored.includes(name))
  if (extra.length > 0) {
    throw new FormatError({
      where: place(extra[0]),
      expected: 'only tensors of the network that the configuration describes',
      received: extra.length === 1 ? 'this one' : `this one and ${extra.length - 1} others`,
      remedy: 'these weights and their config.json belong to different networks',
    })
  }
  return {
    found,
    load: (placement) => {
      const loaded = unscoped(() => loadWeights(found, { ...placement, rename }))
      for (const name of ignored) {
        loaded.get(name)?.dispose()
        loaded.delete(name)
      }
      return loaded
    },
  }
}
