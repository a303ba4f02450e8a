/** Which libraries for groups of processes a libtorch has: Gloo for tensors of a CPU, NCCL for those of NVIDIA GPUs. */
import { Buffer } from 'node:buffer'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'

const shared = process.platform === 'darwin' ? 'dylib' : 'so'

/**
 * @param {import('./library.mjs').Library} library
 * @returns {{flags: string[], missing: string[]}} of the compiler; and what the add-on will be without, in words
 */
export function processGroups(library) {
  const header = (name) => existsSync(join(library.folder, 'include', 'torch', 'csrc', 'distributed', 'c10d', name))
  const inLibrary = (name, symbol) => containsText(join(library.folder, 'lib', `lib${name}.${shared}`), symbol)
  if (!header('ProcessGroupGloo.hpp') || !inLibrary('torch_cpu', 'ProcessGroupGlooC1E')) {
    return {
      flags: [],
      missing: ['this libtorch has no Gloo: `attune launch` and groups of processes will not work with it'],
    }
  }
  const flags = ['-DATTUNE_GLOO']
  if (!library.cuda) return { flags, missing: [] }
  const folders = cudaHeaders(library)
  const found = (name) => folders.some((folder) => existsSync(join(folder, name)))
  const needed = ['nccl.h', 'cuda_runtime_api.h', 'crt/host_config.h', 'nv/target'].filter((name) => !found(name))
  if (header('ProcessGroupNCCL.hpp') && needed.length === 0 && inLibrary('torch_cuda', 'ProcessGroupNCCLC1E')) {
    return { flags: [...flags, '-DATTUNE_NCCL', ...folders.map((folder) => `-isystem${folder}`)], missing: [] }
  }
  const why = needed.length === 0 ? 'this libtorch has no NCCL' : `these headers are not there: ${needed.join(', ')}`
  return { flags, missing: [`${why}; processes with a GPU each reduce their gradients through the CPU instead`] }
}

/** Of CUDA and NCCL: pip's packages beside torch, and a toolkit of the system. */
function cudaHeaders(library) {
  const nvidia = join(dirname(library.folder), 'nvidia')
  const packages = ['cu13', 'cu12', 'nccl', 'cuda_runtime', 'cuda_nvcc', 'cuda_cccl', 'cuda_crt']
  const toolkit = process.env.CUDA_HOME ?? '/usr/local/cuda'
  const folders = [...packages.map((name) => join(nvidia, name, 'include')), join(toolkit, 'include')]
  return [...folders, join(toolkit, 'include', 'cccl'), '/usr/include'].filter((folder) => existsSync(folder))
}

/** Whether a file, however large, contains an ASCII text. */
function containsText(file, text) {
  if (!existsSync(file)) return false
  const descriptor = openSync(file, 'r')
  try {
    const chunk = Buffer.alloc(8 << 20)
    let kept = 0
    for (;;) {
      const read = readSync(descriptor, chunk, kept, chunk.length - kept, null)
      if (read === 0) return false
      if (chunk.subarray(0, kept + read).includes(text)) return true
      const tail = Math.min(text.length, kept + read)
      chunk.copyWithin(0, kept + read - tail, kept + read)
      kept = tail
    }
  } finally {
    closeSync(descriptor)
  }
}
