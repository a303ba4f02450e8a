/**
 * Step 2: libtorch. In this order: the folder that LIBTORCH names, a torch of the active python3, a private copy, for
 * which pip is only the downloader. A torch of python3 that cannot use this machine's GPU is passed over for a private one.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chooseWheel } from './cuda-wheels.mjs'
import { gpusOf } from './gpus.mjs'
import { installLibtorch, installedFor, pinned } from './install-libtorch.mjs'
import { builtFor, missingLibrary, shared, versionOf } from './libtorch-facts.mjs'
import { indexOffers } from './pip.mjs'
import { libtorch as home, made, noWheel, readRecord, setupCommand } from './places.mjs'
import { SetupStop, ask, say } from './shell.mjs'
import { driverRuns, factsOfDriver, noWheelFor, whyNotHere, whyNotSetUp, whyNotWith } from './why-no-gpu.mjs'

const oldest = [2, 7]

/**
 * @typedef {{code: string, why: string, remedy: string}} Reason
 * @typedef {object} Library
 * @property {'LIBTORCH' | 'python3' | 'private'} how
 * @property {string} folder holds include/ and lib/
 * @property {string} version
 * @property {boolean} cuda whether the machine has an NVIDIA GPU and this library can use it
 * @property {string} [cudaVersion] of the CUDA that it is built for, where it is
 * @property {boolean} hip whether it is built for ROCm
 * @property {'yes' | 'no'} [asked] ATTUNE_GPU
 * @property {boolean} installed just now
 * @property {Reason} [reason] why it is not for a GPU, or why the GPU that it is for is out of reach now
 */

/**
 * @param {import("./gpus.d.mts").Machine} [machine] whose GPUs count, where not of this one
 * @returns {Promise<Library>}
 */
export async function findLibrary(machine = {}) {
  const asked = process.env.ATTUNE_GPU || undefined
  if (![undefined, 'yes', 'no'].includes(asked)) {
    throw new SetupStop(
      `ATTUNE_GPU=${asked} is neither yes nor no`,
      'yes: set up for an NVIDIA GPU though none is to be seen, as in the image of a container',
      'no: set up for the CPU though there is a GPU; unset it to let the set-up look',
    )
  }
  const record = readRecord()
  const quick = gpusOf({ ...machine, ask: false })
  // Where the last set-up was for a GPU, nvidia-smi has been asked.
  const settled = record?.cuda === true && driverRuns(quick, record.cudaVersion ?? '')
  const gpus = settled ? quick : gpusOf(machine)
  const need = { asked, gpus, absent: absenceOf(asked, gpus) }
  const library = await choose(need)
  if (asked === 'yes' && !library.cuda)
    throw new SetupStop(`ATTUNE_GPU=yes cannot be had: ${library.reason.why}`, library.reason.remedy)
  return library.cuda ? { ...library, reason: whyNotHere(gpus) } : library
}

function absenceOf(asked, gpus) {
  if (asked === 'yes' && gpus.platform === 'linux') return undefined
  if (asked === 'no') return { code: 'asked', why: 'ATTUNE_GPU is no', remedy: 'unset ATTUNE_GPU and run this again' }
  return whyNotSetUp(gpus)
}

async function choose(need) {
  if (process.env.LIBTORCH) return named(resolve(process.env.LIBTORCH), need)
  const python = inPython()
  const theirs =
    python && newEnough(python.version) ? describe('python3', python.folder, python.version, need) : undefined
  const folder = join(home, 'torch')
  const version = versionOf(folder)
  const own = version?.split('+')[0] === pinned ? describe('private', folder, version, need) : undefined
  const usable = [theirs, own].find((library) => library !== undefined && (library.cuda || need.absent !== undefined))
  if (usable !== undefined) return usable
  if (python && theirs === undefined)
    say(`python3 has torch ${python.version}, older than ${oldest.join('.')}: Attune gets its own`)
  if (need.absent !== undefined) return install(undefined, need)
  const existing = theirs ?? own
  const known = inPassing.includes(process.env.npm_lifecycle_event) ? noWheelFor(need.gpus) : undefined
  if (existing !== undefined && known !== undefined) return { ...existing, reason: known }
  const wheel = chooseWheel(need.gpus, (index, build) => {
    say(`asking whether ${index} can be reached`)
    return indexOffers(index, `${pinned}+${build}`)
  })
  if (wheel.why !== undefined) {
    const library = existing ?? (await install(undefined, need))
    return { ...library, reason: remember(need.gpus, wheel.why, wheel.remedy) }
  }
  if (own !== undefined && installedFor(home) === wheel.cuda) return own
  if (existing === undefined) return install(wheel, need)
  say(`${existing.reason.why}: Attune gets another (ATTUNE_GPU=no keeps it and computes on the CPU)`)
  try {
    return await install(wheel, need)
  } catch (error) {
    if (!(error instanceof SetupStop)) throw error
    const again = (line) => line.trim().replace('the same command', `\`${setupCommand}\``)
    const [why, ...todo] = error.message.split('\n').map(again)
    return { ...existing, reason: remember(need.gpus, `${existing.reason.why}, and ${why}`, todo.join('; ')) }
  }
}

async function install(wheel, need) {
  await installLibtorch(home, made, wheel)
  rmSync(noWheel, { force: true })
  const folder = join(home, 'torch')
  return { ...describe('private', folder, versionOf(folder), need), installed: true }
}

/** npm's scripts that set up on their way to something else: these do not ask the network again for what it had not. */
const inPassing = ['start', 'demo', 'attune', 'pretrain', 'test']

/** For the scripts above, and so that the program can say it too. */
function remember(gpus, why, remedy) {
  const reason = { code: 'no-wheel', why, remedy }
  writeFileSync(noWheel, JSON.stringify({ facts: factsOfDriver(gpus), reason }, null, 2))
  return reason
}

function named(folder, need) {
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
  return describe('LIBTORCH', inner, version, need)
}

function describe(how, folder, version, { asked, gpus, absent }) {
  const { cuda: cudaVersion, hip } = builtFor(folder)
  const record = readRecord()
  const loadedBefore = record?.cuda === true && record.torchFolder === folder && record.torchVersion === version
  // To load it takes two seconds, and is needed only where a GPU may be used.
  const asksItself = absent === undefined && cudaVersion !== undefined && !loadedBefore
  const missing = asksItself ? missingLibrary(folder) : undefined
  const reason = absent ?? whyNotWith(gpus, { how, version, cuda: cudaVersion, hip, missing })
  return { how, folder, version, cuda: reason === undefined, cudaVersion, hip, asked, installed: false, reason }
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
