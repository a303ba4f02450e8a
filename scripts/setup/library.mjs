/**
 * Step 2: libtorch. In this order: the folder that LIBTORCH names, a torch of the active python3, a private copy, for
 * which pip is only the downloader. Nothing of Python runs once this is done.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { libtorch as home, made } from './places.mjs'
import { SetupStop, ask, debianOrMac, say, show } from './shell.mjs'

const pinned = '2.13.0'
const oldest = [2, 7]
const cpuIndex = 'https://download.pytorch.org/whl/cpu'
const shared = process.platform === 'darwin' ? 'dylib' : 'so'

/**
 * @typedef {{how: 'LIBTORCH' | 'python3' | 'private', folder: string, version: string, cuda: boolean, installed: boolean}} Library
 * `folder` holds include/ and lib/; `cuda` says that the machine has an NVIDIA GPU and the library can use it.
 */

/** @returns {Promise<Library>} */
export async function findLibrary() {
  const asked = process.env.LIBTORCH
  if (asked) return named(resolve(asked))
  const pythons = inPython()
  if (pythons && newEnough(pythons.version)) return describe('python3', pythons.folder, pythons.version)
  const folder = join(home, 'torch')
  if (versionOf(folder)?.split('+')[0] === pinned) return describe('private', folder, versionOf(folder))
  if (pythons) say(`python3 has torch ${pythons.version}, older than ${oldest.join('.')}: Attune gets its own`)
  await install()
  return describe('private', folder, versionOf(folder), true)
}

function named(folder) {
  const inner = existsSync(join(folder, 'lib')) ? folder : join(folder, 'torch')
  const version = versionOf(inner)
  if (!version) {
    throw new SetupStop(
      `LIBTORCH=${folder} is no libtorch (include/ and lib/libtorch_cpu.${shared} are looked for there)`,
      'name the folder of an unpacked libtorch zip or of an installed torch package, or unset LIBTORCH',
    )
  }
  if (!newEnough(version)) {
    throw new SetupStop(
      `LIBTORCH=${folder} is libtorch ${version}, which is too old`,
      `name one of version ${oldest.join('.')} or newer, or unset LIBTORCH`,
    )
  }
  return describe('LIBTORCH', inner, version)
}

function describe(how, folder, version, installed = false) {
  const cuda = hasNvidiaGpu() && existsSync(join(folder, 'lib', `libtorch_cuda.${shared}`))
  return { how, folder, version, cuda, installed }
}

const newEnough = (version) => {
  const [major, minor] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** Where the active python3 would import torch from, without importing it. */
function inPython() {
  const script =
    "import importlib.util as u\ns=u.find_spec('torch')\nprint(s.submodule_search_locations[0] if s and s.origin else '')"
  const { code, stdout } = ask('python3', ['-c', script])
  const folder = stdout.trim()
  const version = code === 0 && folder ? versionOf(folder) : undefined
  return version && { folder, version }
}

/** '2.13.0+cpu', or undefined where this is no complete libtorch. */
function versionOf(folder) {
  if (!existsSync(join(folder, 'lib', `libtorch_cpu.${shared}`))) return undefined
  if (!existsSync(join(folder, 'include', 'ATen'))) return undefined
  for (const [file, pattern] of [
    ['version.py', /^__version__ = '([^']+)'/m], // the wheel
    ['build-version', /^(\d\S+)/], // the zip
    ['../build-version', /^(\d\S+)/],
  ]) {
    const path = join(folder, file)
    const found = existsSync(path) && pattern.exec(readFileSync(path, 'utf8'))
    if (found) return found[1]
  }
  return undefined
}

function hasNvidiaGpu() {
  return existsSync('/dev/nvidiactl') || existsSync('/proc/driver/nvidia/version')
}

/** Into another folder first: a private copy that exists is complete. Where an earlier try was killed, its pip may still run. */
async function install() {
  const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  try {
    for (const name of readdirSync(made)) if (name.startsWith('libtorch.partial')) remove(join(made, name))
  } catch {
    // That pip is writing there: the next installation removes it.
  }
  const partial = join(made, `libtorch.partial-${process.pid}-${Date.now()}`)
  try {
    await installInto(partial)
    remove(home)
    renameSync(join(partial, 'site'), home)
  } finally {
    remove(partial)
  }
}

async function installInto(partial) {
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    throw new SetupStop(
      'this Linux has no glibc, for which PyTorch is built',
      'use a glibc Linux such as Debian or Ubuntu',
    )
  }
  expectPip()
  const gpu = hasNvidiaGpu()
  expectSpace(gpu ? 12 : 4)
  const temporary = join(partial, 'tmp')
  mkdirSync(temporary, { recursive: true })
  // pip unpacks in TMPDIR first: on the same disk, since /tmp may be a small one.
  const environment = {
    TMPDIR: temporary,
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
  }
  const target = join(partial, 'site')
  const pip = async (...args) => {
    const base = ['-m', 'pip', 'install', '--quiet', '--progress-bar', 'on', '--no-compile', '--target', target]
    if (process.stderr.isTTY) base.splice(3, 1)
    const { code, output } = await show('python3', [...base, ...args], environment)
    if (code !== 0) throw pipStop(output)
  }
  if (process.platform === 'linux' && !gpu && indexAnswers()) {
    say(`downloading libtorch ${pinned} for the CPU: about 190 MB, 750 MB unpacked`)
    await pip('--no-deps', '--index-url', cpuIndex, `torch==${pinned}+cpu`)
  } else if (process.platform === 'linux' && gpu) {
    say(`downloading libtorch ${pinned} and its CUDA libraries: about 2.5 GB, 6 GB unpacked`)
    await pip(`torch==${pinned}`)
  } else {
    const size = process.platform === 'linux' ? 'up to 530 MB, 1.6 GB unpacked' : 'about 90 MB, 350 MB unpacked'
    say(`downloading libtorch ${pinned}: ${size}`)
    await pip('--no-deps', `torch==${pinned}`)
    const needed = cudaPackages(target)
    if (needed.length > 0) {
      say('downloading two small CUDA libraries that this libtorch is linked to: 13 MB')
      await pip('--no-deps', ...needed)
    }
  }
  if (versionOf(join(target, 'torch')) === undefined) {
    throw new SetupStop(
      `pip installed a torch without libraries in ${target}`,
      'set LIBTORCH to an unpacked libtorch zip',
    )
  }
}

/** The wheel on the default index may be a CUDA one: libtorch_cpu then wants these two even where there is no GPU. */
function cudaPackages(target) {
  const folder = readdirSync(target).find((name) => /^torch-.*\.dist-info$/.test(name))
  const metadata = folder ? readFileSync(join(target, folder, 'METADATA'), 'utf8') : ''
  const toolkit = /^Requires-Dist: cuda-toolkit(?:\[[^\]]*\])?==(\d+\.\d+)/m.exec(metadata)
  if (toolkit) return ['runtime', 'cupti'].map((name) => `nvidia-cuda-${name}==${toolkit[1]}.*`)
  return [...metadata.matchAll(/^Requires-Dist: (nvidia-cuda-(?:runtime|cupti)-cu\d+==[\d.]+)/gm)].map(
    (match) => match[1],
  )
}

function indexAnswers() {
  say('asking whether the CPU-only index of PyTorch can be reached')
  const args = ['-m', 'pip', 'index', 'versions', 'torch', '--index-url', cpuIndex, '--timeout', '5', '--retries', '0']
  const { code, stdout } = ask('python3', args, { PIP_NO_INPUT: '1' })
  const found = code === 0 && stdout.includes(`${pinned}+cpu`)
  if (!found) say("it cannot: using pip's own index, whose package is larger")
  return found
}

function expectPip() {
  if (ask('python3', ['--version']).code !== 0) {
    const commands = debianOrMac('sudo apt-get install python3 python3-pip', 'brew install python')
    throw new SetupStop('python3 is not there; its pip downloads libtorch', ...commands, ...byHand)
  }
  if (ask('python3', ['-m', 'pip', '--version']).code !== 0) {
    const commands = debianOrMac('sudo apt-get install python3-pip', 'python3 -m ensurepip --upgrade')
    throw new SetupStop('python3 has no pip, which downloads libtorch', ...commands, ...byHand)
  }
}

const byHand = ['or unpack libtorch from pytorch.org yourself and set LIBTORCH to its folder']

function expectSpace(gigabytes) {
  const { bavail, bsize } = statfsSync(dirname(home))
  const free = (bavail * bsize) / 1e9
  if (free >= gigabytes) return
  throw new SetupStop(
    `the disk is full: libtorch needs ${gigabytes} GB while it is being installed, ${free.toFixed(1)} GB are free`,
    `free some space on the disk of ${dirname(home)} and run the same command again`,
    ...byHand,
  )
}

function pipStop(output) {
  if (/No space left|Errno 28/i.test(output)) {
    return new SetupStop('the disk is full', 'free about 4 GB and run the same command again')
  }
  const unmatched = /No matching distribution|not a supported wheel/i.test(output)
  const python = ask('python3', ['--version']).stdout.trim()
  const minor = Number(/^Python 3\.(\d+)/.exec(python)?.[1])
  // pip says "from versions: none" both of an index that it cannot reach and of a Python that it has no wheel for.
  const unreachable = /NewConnectionError|ConnectTimeout|ReadTimeout|name resolution|Max retries|ProxyError/i.test(
    output,
  )
  if (unreachable || (unmatched && output.includes('from versions: none') && minor >= 10 && minor <= 14)) {
    return new SetupStop(
      'pip cannot reach its index',
      'connect this machine to the network and run the same command again',
      'behind a proxy:  export HTTPS_PROXY=http://HOST:PORT',
      ...byHand,
    )
  }
  if (unmatched) {
    return new SetupStop(
      `there is no torch ${pinned} for ${python}, pip and this machine`,
      'use a Python from 3.10 to 3.14 and a recent pip (python3 -m pip install --upgrade pip)',
      ...byHand,
    )
  }
  return new SetupStop('pip could not install libtorch (its own words are above)', 'mend that and run again', ...byHand)
}
