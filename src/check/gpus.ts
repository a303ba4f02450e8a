/** The libtorch of this machine, its GPUs, and whether they compute what the CPU does. */
import { isUsual } from '../../scripts/setup/why-no-gpu.mjs'
import { conv2d } from '../tensor/functional.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { gpuState } from '../tensor/gpus.ts'
import { describeLibrary, useTf32, useThreads } from '../tensor/library.ts'
import { memoryOf } from '../tensor/memory.ts'
import { tensorScope } from '../tensor/scope.ts'

export interface GpuTrial {
  /** That can be used. */
  readonly count: number
  /** `libtorch 2.13.0 (private, AVX2)` */
  readonly library: string
  /** What there is, or why there is nothing, as one sentence. */
  readonly sentence: string
  /** What is wrong: a GPU that computes otherwise, or one that is there and cannot be used. */
  readonly trouble?: { readonly said: string; readonly remedy: string }
}

/** @param wanted by `--device` @throws {LibraryError} there is no libtorch to load */
export function tryGpus(wanted: string | null): GpuTrial {
  const { version, source, cpu } = describeLibrary()
  const library = `libtorch ${version} (${source}, ${cpu})`
  if (wanted === 'cpu') return { count: 0, library, sentence: 'none is used, as --device says' }
  const { devices, reason, sentence } = gpuState()
  if (reason !== undefined) {
    const isTrouble = wanted !== null || !isUsual(reason)
    return { count: 0, library, sentence, ...(isTrouble && { trouble: { said: reason.why, remedy: reason.remedy } }) }
  }
  const all = Array.from({ length: devices }, (_, i) => `cuda:${i}`)
  const odd = all.filter((device) => !computesAsTheCpu(device))
  const free = all.map((device) => memoryOf(device)).map((memory) => (memory === undefined ? '?' : `${(memory.free / 1e9).toFixed(1)} GB`)) // prettier-ignore
  const remedy = 'look after the card and its driver, or leave it out with CUDA_VISIBLE_DEVICES or --device cpu'
  return {
    count: devices,
    library,
    sentence: `${sentence}; ${free.join(', ')} free`,
    ...(odd.length > 0 && { trouble: { said: `${odd.join(', ')} computes another result than the CPU`, remedy } }),
  }
}

/** Of a convolution and a product in float32; it differs by rounding alone. */
function computesAsTheCpu(device: string): boolean {
  using _scope = tensorScope()
  useThreads(1)
  useTf32(false)
  const [images, kernels, columns] = [[2, 8, 32, 32], [16, 8, 3, 3], [32 * 32, 64]].map((shape, i) => randn(shape, new Generator(i))) // prettier-ignore
  const on = (place: string) => conv2d(images.to(place), kernels.to(place), undefined, 1, 1).flatten(2).matmul(columns.to(place)).to('cpu') // prettier-ignore
  const [here, there] = [on('cpu'), on(device)]
  return there.sub(here).norm().item() <= 1e-4 * here.norm().item()
}
