/** Which libraries for groups of processes a libtorch has: Gloo for tensors of a CPU, NCCL for those of NVIDIA GPUs. */
import { Buffer } from 'node:buffer'
import { closeSync, existsSync, mkdirSync, openSync, readSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { headerPackages } from './cuda-wheels.mjs'
import { pipInstall } from './pip.mjs'
import { made } from './places.mjs'
import { SetupStop, say } from './shell.mjs'

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
  const folders = cudaFolders(library)
  const needed = missingHeaders(folders)
  if (header('ProcessGroupNCCL.hpp') && needed.length === 0 && inLibrary('torch_cuda', 'ProcessGroupNCCLC1E')) {
    // The compiler looks into its own folder last, and must: the standard library's headers count on it.
    const named = folders.filter((folder) => folder !== '/usr/include').map((folder) => `-isystem${folder}`)
    return { flags: [...flags, '-DATTUNE_NCCL', ...named], missing: [] }
  }
  const why = needed.length === 0 ? 'this libtorch has no NCCL' : `these headers are not there: ${needed.join(', ')}`
  return { flags, missing: [`${why}; processes with a GPU each reduce their gradients through the CPU instead`] }
}

/** What the headers of NCCL's process groups include of NVIDIA's; CUDA's runtime includes the two of `headerPackages`. */
const nvidiaHeaders = ['nccl.h', 'cuda_runtime_api.h', 'cublas_v2.h', 'cusparse.h', 'cusolverDn.h']
const runtimeHeaders = ['crt/host_config.h', 'nv/target']

const missingHeaders = (folders) =>
  [...nvidiaHeaders, ...runtimeHeaders].filter((name) => !folders.some((folder) => existsSync(join(folder, name))))

/** Where the headers lie that the set-up fetches: those that PyTorch's wheels do not bring. */
const fetchedHeaders = (library) => join(made, 'cuda-headers', library.cudaVersion ?? '')

/** Of CUDA and NCCL: pip's packages beside torch, what was fetched, and a toolkit of the system. */
function cudaFolders(library) {
  const packages = [join(dirname(library.folder), 'nvidia'), join(fetchedHeaders(library), 'nvidia')]
  const beside = packages.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  const toolkit = process.env.CUDA_HOME ?? '/usr/local/cuda'
  const folders = [...beside.map((folder) => join(folder, 'include')).sort(), join(toolkit, 'include')]
  return [...folders, join(toolkit, 'include', 'cccl'), '/usr/include'].filter((folder) => existsSync(folder))
}

/** Fetches the headers that CUDA's runtime wants and PyTorch's wheels do not bring, where only these are missing. */
export async function fetchCudaHeaders(library) {
  if (!library.cuda || !/^\d/.test(library.cudaVersion ?? '')) return
  const missing = missingHeaders(cudaFolders(library))
  if (missing.length === 0 || !missing.every((name) => runtimeHeaders.includes(name))) return
  say("downloading headers of CUDA's runtime, for groups of processes: 3 MB")
  const partial = join(made, 'partial-headers')
  const home = fetchedHeaders(library)
  rmSync(partial, { recursive: true, force: true })
  try {
    const words = ['--no-deps', '--retries', '1', '--timeout', '10', ...headerPackages(library.cudaVersion)]
    await pipInstall(join(partial, 'site'), join(partial, 'tmp'), words)
    mkdirSync(dirname(home), { recursive: true })
    rmSync(home, { recursive: true, force: true })
    renameSync(join(partial, 'site'), home)
  } catch (error) {
    if (!(error instanceof SetupStop)) throw error
    say(`they cannot be had: ${error.message.split('\n')[0]}`)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
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
