/** Networks from files: checked by the headers alone before gigabytes are read. */
import { FormatError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Weights } from '../weights.ts'
import type { FoundWeights } from './find-weights.ts'
import { loadWeights, metaWeights, type LoadOptions } from './load-weights.ts'

/** Where a network lies and how it is used. */
export interface NetworkSource {
  readonly found: FoundWeights
  /** The name by which the network asks for a tensor. */
  readonly rename?: (key: string) => string
  /** How the file spells such a name, for messages; `rename` is sought backwards without it. */
  readonly spell?: (name: string) => string | undefined
  /** Names of tensors that are in files and not asked for. */
  readonly ignored?: readonly string[]
  /** Runs the network once, on tensors with shapes and without elements. */
  readonly use: (weights: Weights) => void
}

/** Weights that fit their network. */
export interface CheckedNetwork {
  readonly found: FoundWeights
  /** By the names that the network asks for. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /**
   * Reads the tensors; they belong to the caller.
   * @throws {FormatError} see `loadWeights`
   */
  load(placement: Omit<LoadOptions, 'rename'>): Map<string, Tensor>
}

/**
 * Checks that every tensor that a network asks for is there with the right shape, and no other one.
 *
 * @throws {FormatError} names file and key
 */
export function checkNetwork({
  found,
  rename = (key) => key,
  spell = () => undefined,
  ignored = [],
  use,
}: NetworkSource): CheckedNetwork {
  const keyOf = new Map([...found.entries.keys()].map((key) => [rename(key), key]))
  const place = (name: string) => {
    const key = keyOf.get(name) ?? name
    return `${found.entries.get(key)?.file ?? found.files.join(', ')} ${spell(name) ?? key}`
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
    shapes: new Map([...keyOf].map(([name, key]) => [name, found.entries.get(key)!.shape])),
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
