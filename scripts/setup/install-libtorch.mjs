/** A libtorch of Attune's own, from PyTorch's wheels: for the CPU alone, or with what CUDA needs beside it. */
import { readFileSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { requirementsOf } from './cuda-wheels.mjs'
import { versionOf } from './libtorch-facts.mjs'
import { byHand, expectPip, indexOffers, pipInstall } from './pip.mjs'
import { SetupStop, say } from './shell.mjs'

export const pinned = '2.13.0'
const cpuIndex = 'https://download.pytorch.org/whl/cpu'

/** In the folder of a libtorch: the CUDA whose packages were installed beside it. */
const cudaMark = (home) => join(home, 'cuda')

/** The CUDA for which the libtorch in `home` was installed with all its packages, undefined where it was not. */
export function installedFor(home) {
  try {
    return readFileSync(cudaMark(home), 'utf8').trim()
  } catch {
    return undefined
  }
}

/**
 * Installs into another folder first, `partial-…` in `work`: what lies in `home` is complete. Where an earlier try was
 * killed, its pip may still run.
 *
 * @param {string} home
 * @param {string} work a folder on the same disk
 * @param {{cuda: string, index?: string, build?: string}} [wheel] none for the CPU
 * @throws {SetupStop}
 */
export async function installLibtorch(home, work, wheel) {
  const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  try {
    for (const name of readdirSync(work)) if (name.startsWith('libtorch.partial')) remove(join(work, name))
  } catch {
    // That pip is writing there: the next installation removes it.
  }
  const partial = join(work, `libtorch.partial-${process.pid}-${Date.now()}`)
  try {
    await installInto(partial, wheel, dirname(home))
    remove(home)
    renameSync(join(partial, 'site'), home)
  } finally {
    remove(partial)
  }
}

async function installInto(partial, wheel, disk) {
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    throw new SetupStop(
      'this Linux has no glibc, for which PyTorch is built',
      'use a glibc Linux such as Debian or Ubuntu',
    )
  }
  expectPip()
  expectSpace(wheel === undefined ? 4 : 10, disk)
  const target = join(partial, 'site')
  const pip = (...words) => pipInstall(target, join(partial, 'tmp'), words)
  const requirements = () => {
    const folder = readdirSync(target).find((name) => /^torch-.*\.dist-info$/.test(name))
    return folder ? requirementsOf(readFileSync(join(target, folder, 'METADATA'), 'utf8')) : []
  }
  if (wheel !== undefined) {
    const from = wheel.index === undefined ? [] : ['--index-url', wheel.index]
    say(`downloading libtorch ${pinned} for CUDA ${wheel.cuda} and NVIDIA's libraries: about 2.5 GB, 4 GB unpacked`)
    await pip('--no-deps', ...from, `torch==${pinned}${wheel.build === undefined ? '' : `+${wheel.build}`}`)
    const needed = requirements()
    if (needed.length > 0) await pip(...from, ...needed)
    writeFileSync(cudaMark(target), `${wheel.cuda}\n`)
  } else if (process.platform === 'linux' && cpuIndexAnswers()) {
    say(`downloading libtorch ${pinned} for the CPU: about 190 MB, 750 MB unpacked`)
    await pip('--no-deps', '--index-url', cpuIndex, `torch==${pinned}+cpu`)
  } else {
    const size = process.platform === 'linux' ? 'up to 530 MB, 1.6 GB unpacked' : 'about 90 MB, 350 MB unpacked'
    say(`downloading libtorch ${pinned}: ${size}`)
    await pip('--no-deps', `torch==${pinned}`)
    // The wheel on the default index may be a CUDA one: libtorch_cpu then wants these two even where there is no GPU.
    const needed = twoForCpu(requirements())
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

/** CUDA's runtime and its measuring library, of all that a CUDA wheel requires. */
function twoForCpu(requirements) {
  const toolkit = requirements.map((one) => /^cuda-toolkit\b.*==(\d+\.\d+)/.exec(one)).find(Boolean)
  if (toolkit) return ['runtime', 'cupti'].map((name) => `nvidia-cuda-${name}==${toolkit[1]}.*`)
  return requirements.filter((one) => /^nvidia-cuda-(?:runtime|cupti)-cu/.test(one))
}

function cpuIndexAnswers() {
  say('asking whether the CPU-only index of PyTorch can be reached')
  const found = indexOffers(cpuIndex, `${pinned}+cpu`)
  if (!found) say("it cannot: using pip's own index, whose package is larger")
  return found
}

function expectSpace(gigabytes, disk) {
  const { bavail, bsize } = statfsSync(disk)
  const free = (bavail * bsize) / 1e9
  if (free >= gigabytes) return
  throw new SetupStop(
    `the disk is full: libtorch needs ${gigabytes} GB while it is being installed, ${free.toFixed(1)} GB are free`,
    `free some space on the disk of ${disk} and run the same command again`,
    ...byHand,
  )
}
