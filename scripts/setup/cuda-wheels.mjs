/** Which wheel of PyTorch a machine with an NVIDIA GPU gets, and which packages of NVIDIA's belong to it. */
import { cardsRun, driverRuns } from './why-no-gpu.mjs'

/** Of the pinned libtorch, newest CUDA first. pip's own index has the first of them alone. */
const wheels = [
  { cuda: '13.0', index: undefined },
  { cuda: '12.9', index: 'https://download.pytorch.org/whl/cu129' },
  { cuda: '12.8', index: 'https://download.pytorch.org/whl/cu128' },
  { cuda: '12.6', index: 'https://download.pytorch.org/whl/cu126' },
]

/**
 * The newest wheel that this machine's driver and cards run.
 *
 * @param {import('./gpus.d.mts').Gpus} gpus
 * @param {(index: string, build: string) => boolean} offers whether an index can be reached and has that build, `cu126`
 * @returns {{cuda: string, index?: string, build?: string} | {why: string, remedy: string}}
 */
export function chooseWheel(gpus, offers) {
  const fitting = wheels.filter(({ cuda }) => driverRuns(gpus, cuda) && cardsRun(gpus, cuda))
  for (const { cuda, index } of fitting) {
    if (index === undefined) return { cuda }
    const build = index.split('/').at(-1)
    if (offers(index, build)) return { cuda, index, build }
  }
  const driver = gpus.driver === undefined ? '' : ` with NVIDIA’s driver ${gpus.driver}`
  const card = gpus.capabilities.length === 0 ? '' : ` (compute capability ${gpus.capabilities.join(', ')})`
  if (fitting.length === 0) {
    return {
      why: `there is no wheel of this libtorch for ${gpus.names.join(', ') || 'this GPU'}${card}${driver}`,
      remedy: driverRuns(gpus, wheels[0].cuda) ? 'use a newer card' : 'renew the driver: 580 or newer runs CUDA 13',
    }
  }
  return {
    why: `this GPU${card}${driver} needs a libtorch for CUDA ${fitting.map(({ cuda }) => cuda).join(' or ')}, and none of download.pytorch.org can be had from here`,
    remedy: driverRuns(gpus, wheels[0].cuda)
      ? 'connect this machine to download.pytorch.org, or name a libtorch in LIBTORCH'
      : 'renew the driver (580 or newer runs CUDA 13, whose wheel is on pip’s own index), or connect to download.pytorch.org',
  }
}

/** NVIDIA's packages among what a wheel requires, by its METADATA: without triton and Python's own needs. */
export const requirementsOf = (metadata) =>
  [...metadata.matchAll(/^Requires-Dist: ((?:nvidia-|cuda-toolkit)[^\n]+)$/gm)]
    .map(([, requirement]) => requirement.trim())
    .filter((requirement) => !requirement.includes('extra =='))

/** Headers that CUDA's own need and PyTorch does not require: small packages without libraries. */
export function headerPackages(cuda) {
  const [whole, part] = cuda.split('.')
  const suffix = Number(whole) >= 13 ? '' : `-cu${whole}`
  const crt = Number(whole) >= 13 ? 'nvidia-cuda-crt' : `nvidia-cuda-nvcc${suffix}`
  return [`${crt}==${whole}.${part}.*`, `nvidia-cuda-cccl${suffix}==${whole}.${part}.*`]
}
