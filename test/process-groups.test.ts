/** What the set-up finds out about a libtorch's groups of processes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'

interface Found {
  readonly flags: readonly string[]
  readonly missing: readonly string[]
}
interface Library {
  readonly folder: string
  readonly cuda: boolean
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { processGroups } = (await import(new URL('../scripts/setup/process-groups.mjs', import.meta.url).href)) as {
  processGroups: (library: Library) => Found
}
const temporary = mkdtempSync(join(tmpdir(), 'attune-groups-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

/** A libtorch of which only these headers and symbols are there. */
function libraryWith(name: string, headers: readonly string[], symbols: Readonly<Record<string, string>>): string {
  const folder = join(temporary, name, 'torch')
  const place = join(folder, 'include', 'torch', 'csrc', 'distributed', 'c10d')
  mkdirSync(place, { recursive: true })
  mkdirSync(join(folder, 'lib'))
  for (const header of headers) writeFileSync(join(place, header), '')
  for (const [file, symbol] of Object.entries(symbols)) {
    for (const ending of ['so', 'dylib']) {
      // So that the symbol lies across the end of a chunk that is read.
      writeFileSync(join(folder, 'lib', `lib${file}.${ending}`), '\0'.repeat((8 << 20) - 5) + symbol)
    }
  }
  return folder
}

test('a libtorch without Gloo builds without groups, and it is said', () => {
  const without = { folder: libraryWith('none', [], {}), cuda: false }
  assert.deepEqual(processGroups(without).flags, [])
  assert.match(processGroups(without).missing[0], /has no Gloo: `attune launch`/)
  const headerAlone = { folder: libraryWith('header', ['ProcessGroupGloo.hpp'], { torch_cpu: 'x' }), cuda: false }
  assert.deepEqual(processGroups(headerAlone).flags, [])
})

test('NCCL is used where libtorch and the headers of CUDA are there; else the CPU is, and it is said', () => {
  const symbols = { torch_cpu: '_ZN4c10d16ProcessGroupGlooC1Ev', torch_cuda: '_ZN4c10d16ProcessGroupNCCLC1Ev' }
  const folder = libraryWith('both', ['ProcessGroupGloo.hpp', 'ProcessGroupNCCL.hpp'], symbols)
  assert.deepEqual(processGroups({ folder, cuda: false }), { flags: ['-DATTUNE_GLOO'], missing: [] })
  const nvidia = join(dirname(folder), 'nvidia')
  const headers = ['cuda_runtime_api.h', 'crt/host_config.h', 'cublas_v2.h', 'cusparse.h', 'cusolverDn.h']
  for (const header of ['nccl/include/nccl.h', ...headers.map((name) => `cu13/include/${name}`)]) {
    mkdirSync(dirname(join(nvidia, header)), { recursive: true })
    writeFileSync(join(nvidia, header), '')
  }
  const cudaHome = process.env.CUDA_HOME
  process.env.CUDA_HOME = join(temporary, 'no-toolkit')
  try {
    const lacking = processGroups({ folder, cuda: true })
    assert.deepEqual(lacking.flags, ['-DATTUNE_GLOO'])
    assert.match(lacking.missing[0], /nv\/target; processes with a GPU each reduce their gradients through the CPU/)
    mkdirSync(join(nvidia, 'cu13', 'include', 'nv'))
    writeFileSync(join(nvidia, 'cu13', 'include', 'nv', 'target'), '')
    const complete = processGroups({ folder, cuda: true })
    assert.deepEqual(complete.missing, [])
    assert.deepEqual(complete.flags.slice(0, 2), ['-DATTUNE_GLOO', '-DATTUNE_NCCL'])
    assert.ok(complete.flags.includes(`-isystem${join(nvidia, 'nccl', 'include')}`))
    // Before the standard library's own folders it would hide C's headers from C++'s.
    assert.ok(!complete.flags.includes('-isystem/usr/include'))
  } finally {
    if (cudaHome === undefined) delete process.env.CUDA_HOME
    else process.env.CUDA_HOME = cudaHome
  }
})

test('without Gloo the add-on still compiles', (context) => {
  const compiler = process.env.CXX ?? 'g++'
  if (spawnSync(compiler, ['--version']).status !== 0) return context.skip(`${compiler} is not there`)
  // Nothing of libtorch is included then; what remains needs the headers of Node alone.
  const include = join(temporary, 'include')
  mkdirSync(include)
  writeFileSync(join(include, 'node_api.h'), 'typedef void* napi_env; typedef void* napi_value;\n')
  const source = join(root, 'native', 'distributed.cc')
  const { status, stderr } = spawnSync(compiler, ['-std=c++20', '-fsyntax-only', `-I${include}`, source], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})
