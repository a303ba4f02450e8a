/** Step 3: compiles native/*.cc into attune.node, again only where the sources or the tools have changed. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { addon, fakeDevice, libtorch, made, project, readRecord, record } from './places.mjs'
import { fetchCudaHeaders, processGroups } from './process-groups.mjs'
import { SetupStop, ask, commandEnvironment, debianOrMac, say, show } from './shell.mjs'

const native = join(project, 'native')
const mac = process.platform === 'darwin'

/**
 * @param {import('./library.mjs').Library} library
 * @param {{node: string, nodeVersion: string}} packages
 * @param {{addon: string, record: string, folder: string}} [places] the files to write, and where else it may write
 * @returns {Promise<boolean>} whether something was compiled
 */
export async function buildAddon(library, packages, places = { addon, record, folder: made }) {
  const sources = readdirSync(native).filter((name) => name.endsWith('.cc'))
  const compiler = findCompiler()
  const headers = nodeHeaders()
  const before = existsSync(places.addon) ? readRecord(places.record) : undefined
  const planned = () => {
    const groups = processGroups(library)
    const flags = { compile: compileFlags(library, groups), link: linkFlags(library) }
    const stamp = hash([compiler, flags.compile, flags.link, library.version, headers.version, nativeFiles()])
    return { groups, flags, stamp }
  }
  let plan = planned()
  if (before?.stamp !== plan.stamp) {
    await fetchCudaHeaders(library)
    plan = planned()
  }
  const { groups, flags, stamp } = plan
  const { version: torchVersion, folder: torchFolder, how, cuda, cudaVersion, hip, asked } = library
  const facts = { torchVersion, torchFolder, how, cuda, cudaVersion, hip, asked, addon: places.addon, stamp }
  const text = `${JSON.stringify(facts, null, 2)}\n`
  const partial = join(places.folder, 'partial')
  const write = () => {
    mkdirSync(partial, { recursive: true })
    writeFileSync(join(partial, 'library.json'), text)
    renameSync(join(partial, 'library.json'), places.record)
    rmSync(partial, { recursive: true, force: true })
  }
  if (before?.stamp === stamp) {
    // Why there is no GPU may have changed all the same.
    if (readFileSync(places.record, 'utf8') !== text) write()
    return false
  }
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  say(`compiling ${sources.length} file${sources.length === 1 ? '' : 's'} of native/ with ${compiler.name}: about 30 s`)
  for (const told of groups.missing) say(told)
  await inParallel(sources, async (name) => {
    const source = [`-I${headers.folder}`, `-I${native}`, '-c', join(native, name)]
    const args = [...flags.compile, ...source, '-o', join(partial, `${name}.o`)]
    expectBuilt(await show(compiler.name, args), compiler)
  })
  const objects = sources.map((name) => join(partial, `${name}.o`))
  const output = join(partial, 'attune.node')
  expectBuilt(await show(compiler.name, ['-shared', '-o', output, ...objects, ...flags.link]), compiler)
  expectLoads(output, packages.node, library)
  rmSync(places.record, { force: true })
  renameSync(output, places.addon)
  write()
  return true
}

/**
 * Compiles native/fake/device.cc, a device for tests, again only where it or the tools have changed.
 *
 * @param {import('./library.mjs').Library} library
 * @param {{node: string}} packages
 */
export async function buildFakeDevice(library, packages) {
  const source = join(native, 'fake', 'device.cc')
  const compiler = findCompiler()
  const headers = nodeHeaders()
  const flags = [...compileFlags({ ...library, cuda: false }, { flags: [] }), '-O1', `-I${headers.folder}`, '-shared']
  const link = linkFlags({ ...library, cuda: false })
  const stamp = hash([compiler, flags, link, library.version, headers.version, readFileSync(source, 'utf8')])
  const stampFile = `${fakeDevice}.sha256`
  if (existsSync(fakeDevice) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  say(`compiling the device of the tests with ${compiler.name}: about 15 s`)
  const partial = `${fakeDevice}.partial`
  expectBuilt(await show(compiler.name, [...flags, source, '-o', partial, ...link]), compiler)
  expectLoads(partial, packages.node, library)
  rmSync(stampFile, { force: true })
  renameSync(partial, fakeDevice)
  writeFileSync(stampFile, stamp)
}

const compileFlags = (library, groups) => [
  // Wide vectors stay within one file, so that no ABI is between them.
  ...['-std=c++20', '-O3', '-fPIC', '-Wno-psabi', `-D_GLIBCXX_USE_CXX11_ABI=${newAbi(library) ? 1 : 0}`],
  ...['include', 'include/torch/csrc/api/include'].map((folder) => `-isystem${join(library.folder, folder)}`),
  ...groups.flags,
  ...(library.cuda ? ['-DATTUNE_CUDA'] : []),
]

const linkFlags = (library) => [
  `-L${join(library.folder, 'lib')}`,
  ...libraryFolders(library).map((folder) => `-Wl,-rpath,${folder}`),
  ...['-ltorch_cpu', '-lc10'],
  ...(library.cuda ? ['-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda', '-ltorch'] : []),
  ...(mac ? ['-undefined', 'dynamic_lookup'] : []),
]

function findCompiler() {
  for (const name of [process.env.CXX, 'g++', 'c++', 'clang++'].filter(Boolean)) {
    const { code, stdout } = ask(name, ['--version'])
    if (code === 0) return { name, version: stdout.split('\n')[0] }
    if (name === process.env.CXX)
      throw new SetupStop(`CXX=${name} does not start`, 'set CXX to a C++20 compiler or unset it')
  }
  throw new SetupStop('there is no C++ compiler', ...debianOrMac('sudo apt-get install g++', 'xcode-select --install'))
}

/** libtorch before 2.7 came with either ABI of GCC's standard library; its symbols tell which. */
function newAbi(library) {
  if (mac) return true
  return readFileSync(join(library.folder, 'lib', 'libc10.so')).includes('__cxx11')
}

/** The headers of Node-API: they are the same for every Node, and not every Node comes with them. */
function nodeHeaders() {
  const require = createRequire(import.meta.url)
  const { version } = JSON.parse(readFileSync(require.resolve('node-api-headers/package.json'), 'utf8'))
  return { folder: require('node-api-headers').include_dir, version }
}

/** libtorch's own folder, and those of the CUDA packages that pip puts beside it. */
function libraryFolders(library) {
  const nvidia = join(dirname(library.folder), 'nvidia')
  const beside = existsSync(nvidia) ? readdirSync(nvidia).map((name) => join(nvidia, name, 'lib')) : []
  return [join(library.folder, 'lib'), ...beside.filter((folder) => existsSync(folder)).sort()]
}

function nativeFiles() {
  const files = readdirSync(native, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const all = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()
  const paths = all.filter((path) => !path.startsWith(join(native, 'fake')))
  return paths.map((path) => [relative(native, path), readFileSync(path, 'utf8')])
}

const hash = (facts) => createHash('sha256').update(JSON.stringify(facts)).digest('hex')

async function inParallel(names, each) {
  const waiting = [...names]
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await each(name)
  }
  await Promise.all(Array.from({ length: Math.min(names.length, availableParallelism(), 4) }, worker))
}

function expectBuilt({ code, output }, compiler) {
  if (code === 0) return
  if (/No space left/i.test(output))
    throw new SetupStop('the disk is full', 'free some space and run the same command again')
  if (/c\+\+20/.test(output) && /unrecognized|invalid value|unknown/i.test(output)) {
    const commands = debianOrMac('sudo apt-get install g++ (version 11 or newer)', 'xcode-select --install')
    throw new SetupStop(`${compiler.name} (${compiler.version}) knows no C++20`, ...commands)
  }
  if (/Killed|out of memory/i.test(output)) {
    throw new SetupStop('the compiler ran out of memory', 'free 1.5 GB of memory and run the same command again')
  }
  throw new SetupStop(
    `${compiler.name} (${compiler.version}) could not compile the add-on (its own words are above)`,
    'g++ 11, clang 14 or newer are known to understand it: set CXX to one of them',
    'with LIBTORCH or a torch of your own: unset LIBTORCH, or try the pinned version',
  )
}

/** Loads what was built once, so that a missing shared library is told here and not in the middle of a run. */
function expectLoads(file, node, library) {
  const script = 'process.dlopen({ exports: {} }, process.argv[1])'
  const { status, stderr } = spawnSync(node, ['-e', script, file], { encoding: 'utf8', env: commandEnvironment() })
  if (status === 0) return
  const reason = /^Error: (.*)$/m.exec(stderr ?? '')?.[1] ?? String(stderr).trim()
  throw new SetupStop(
    `the compiled add-on does not load: ${reason}`,
    `libtorch in use: ${library.folder} (${library.how})`,
    library.how === 'private'
      ? `remove the folder ${libtorch} and run the same command again`
      : 'a shared library that it needs is missing: repair that torch, or choose another with LIBTORCH=/folder',
  )
}
