/** Trains one part of the embedded weights; runs in a process of its own. */
import { join } from 'node:path'
import { version } from '../../scripts/setup/places.mjs'
import { serveTask } from '../child-processes.ts'
import { describeLibrary, useThreads } from '../tensor/library.ts'
import { expectFinite } from '../tensor/finite.ts'
import { writeSafetensors } from '../tensor/safetensors.ts'
import { pretrainClip, pretrainFeatures, pretrainGenerator } from './pretrain-networks.ts'

export interface PretrainTask {
  readonly part: 'generator' | 'clip' | 'features'
  readonly seed: number
  readonly steps: number
  readonly batchSize: number
  readonly threads: number
  /** Folder of the weights. */
  readonly out: string
}

const train = { generator: pretrainGenerator, clip: pretrainClip, features: pretrainFeatures }

serveTask(({ part, seed, steps, batchSize, threads, out }: PretrainTask) => {
  useThreads(threads)
  const weights = train[part]({ seed, steps, batchSize })
  const file = join(out, `${part}.safetensors`)
  expectFinite(file, weights)
  writeSafetensors(file, weights, {
    format: 'attune-weights-1',
    part,
    seed: String(seed),
    steps: String(steps),
    batchSize: String(batchSize),
    threads: String(threads),
    version,
    torch: describeLibrary().version,
    license: 'Apache-2.0',
  })
  return file
})
