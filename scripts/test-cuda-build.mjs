/**
 * Builds the add-on as a machine with an NVIDIA GPU does, on one that has none: the wheel for CUDA with NVIDIA's libraries,
 * the branch for NCCL, the link. It then loads the add-on, and asks it for what works up to the driver. Apart from `npm
 * test`, since it downloads 2.5 GB; they stay in build/cuda until that folder is removed.
 */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { buildAddon } from './setup/addon.mjs'
import { chooseWheel } from './setup/cuda-wheels.mjs'
import { gpusOf } from './setup/gpus.mjs'
import { installLibtorch, installedFor, pinned } from './setup/install-libtorch.mjs'
import { builtFor, missingLibrary, versionOf } from './setup/libtorch-facts.mjs'
import { made } from './setup/places.mjs'
import { processGroups } from './setup/process-groups.mjs'
import { SetupStop, ask, say } from './setup/shell.mjs'

const folder = join(made, 'cuda')
const home = join(folder, 'libtorch')
const torch = join(home, 'torch')
const addon = join(folder, 'attune.node')

async function build() {
  if (process.platform !== 'linux') throw new SetupStop('there is no CUDA here', 'run this on Linux')
  mkdirSync(folder, { recursive: true })
  // Any card and any driver will do: pip's own index has the wheel for them.
  const wheel = chooseWheel({ ...gpusOf({ ask: false }), driver: undefined }, () => false)
  if (installedFor(home) !== wheel.cuda || versionOf(torch)?.split('+')[0] !== pinned)
    await installLibtorch(home, folder, wheel)
  const { cuda: cudaVersion, hip } = builtFor(torch)
  const version = versionOf(torch)
  assert.equal(cudaVersion, wheel.cuda, 'the wheel is for the CUDA that was chosen')
  assert.equal(missingLibrary(torch), undefined, 'every library that libtorch_cuda needs is beside it')
  const library = { how: 'private', folder: torch, version, cuda: true, cudaVersion, hip, installed: true }
  await buildAddon(library, { node: process.execPath }, { addon, record: join(folder, 'library.json'), folder })
  assert.deepEqual(processGroups(library).missing, [], 'the branch for NCCL is compiled')
  assert.ok(processGroups(library).flags.includes('-DATTUNE_NCCL'))
  return library
}

/** All that the loader cannot find; Node itself has what begins with napi_. */
function expectLinked() {
  const { stdout, stderr } = ask('ldd', ['-r', addon])
  for (const name of ['libtorch_cuda.so', 'libc10_cuda.so', 'libnccl.so.2', 'libcudart.so'])
    assert.ok(stdout.includes(name), `the add-on is linked to ${name}`)
  const lost = `${stdout}${stderr}`.split('\n').filter((line) => /not found|undefined symbol/.test(line))
  assert.deepEqual(
    lost.filter((line) => !/undefined symbol: (?:napi|node_api)_/.test(line)),
    [],
  )
  say('every symbol is found but those of Node')
}

function expectWorks() {
  const native = createRequire(import.meta.url)(addon)
  const { version, cudaDevices } = native.library()
  say(`it loads: libtorch ${version}, ${cudaDevices} GPUs`)
  const empty = native.resolve('aten::empty', 'memory_format')
  const float32 = 6
  const onDevice = (device) => native.call(empty.id, undefined, [2, 3], float32, undefined, device)
  assert.deepEqual(native.describe(onDevice('cpu')), [float32, 'cpu', 2, 3])
  native.openStore(`file://${join(folder, `store-${process.pid}`)}`, 'test', 1, true, 20_000)
  assert.equal(native.joinGroup(0, 1, 20_000, true), cudaDevices > 0 ? 'gloo,nccl' : 'gloo')
  native.leaveGroup()
  native.closeStore()
  if (cudaDevices > 0) {
    assert.equal(native.describe(onDevice('cuda:0'))[1], 'cuda:0')
    return say('a tensor lies on the GPU')
  }
  // Without CUDA in the library the operator would have no kernel; with it the driver is what is missing.
  assert.throws(() => onDevice('cuda:0'), /NVIDIA driver|CUDA-capable device|no NVIDIA/i)
  say('a tensor on the GPU fails at the driver, which is not there')
}

try {
  await build()
  expectLinked()
  expectWorks()
} catch (error) {
  if (!(error instanceof SetupStop)) throw error
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 2
}
