/**
 * Why a GPU is not used, in words: tables of what may be in the way, looked through from the top. The set-up reads them
 * before it downloads a libtorch, the program where it finds no GPU.
 */
import { existsSync, readFileSync } from 'node:fs'
import { hasNvidia } from './gpus.mjs'
import { noWheel, setupCommand } from './places.mjs'

/** The oldest branch of NVIDIA's driver that runs programs built for a CUDA of this number. */
const oldestDriver = { 11: 450, 12: 525, 13: 580 }

const major = (version) => Number.parseInt(version, 10)

/** The oldest driver for a CUDA such as `13.0`; undefined of one that is newer than this table. */
const driverFor = (cuda) => oldestDriver[major(cuda)]

/** Whether the driver runs programs built for this CUDA; what is not known is not held against it. */
export function driverRuns(gpus, cuda) {
  if (gpus.cuda !== undefined && major(gpus.cuda) >= major(cuda)) return true
  const oldest = driverFor(cuda)
  return gpus.driver === undefined || oldest === undefined || major(gpus.driver) >= oldest
}

/** The compute capabilities that PyTorch's wheels for a CUDA hold code for. */
function capabilitiesFor(cuda) {
  const [whole, part] = cuda.split('.').map(Number)
  if (!(whole > 0)) return { least: 0, most: Infinity }
  if (whole >= 13) return { least: 7.5, most: Infinity }
  return whole === 12 && part >= 8 ? { least: 7.5, most: Infinity } : { least: 5, most: 9 }
}

/** Whether a wheel for this CUDA has code for one of the cards; what is not known is not held against it. */
export function cardsRun(gpus, cuda) {
  const { least, most } = capabilitiesFor(cuda)
  return gpus.capabilities.length === 0 || gpus.capabilities.some((number) => number >= least && number <= most)
}

const named = (gpus) => {
  if (gpus.names.length > 0) return [...new Set(gpus.names)].join(', ')
  return gpus.cards.length > 0 ? `an NVIDIA GPU (PCI ${gpus.cards.join(', ')})` : 'an NVIDIA GPU'
}

/** Whether a list of GPUs in a variable is one without any; CUDA reads it up to the first that is not there. */
function hides(list, count) {
  const head = list?.split(',')[0].trim()
  return head !== undefined && (head === '' || /^(-|no|void$)/i.test(head) || (count > 0 && Number(head) >= count))
}

/** In the way of every program on this machine; `passing` is no reason to set up without a GPU. */
const machineReasons = [
  {
    code: 'macos',
    holds: (gpus) => gpus.platform === 'darwin',
    says: () => ['there is no CUDA on macOS, and the GPU of Apple silicon is not used', 'compute on the CPU'],
  },
  {
    code: 'amd',
    holds: (gpus) => gpus.amd && !hasNvidia(gpus),
    says: () => [
      'the GPU is AMD’s (/dev/kfd), and ROCm is not supported: the add-on is linked to libtorch’s libraries for CUDA',
      'compute on the CPU, or on a machine with an NVIDIA GPU',
    ],
  },
  {
    code: 'wsl-without-gpu',
    holds: (gpus) => gpus.wsl && !gpus.dxg && gpus.devices.length === 0,
    says: (gpus) => [
      'this is Linux under Windows without /dev/dxg, through which WSL 2 reaches a GPU',
      gpus.container
        ? 'where Windows has an NVIDIA GPU, start the container with it: `docker run --gpus all`'
        : 'use WSL 2 on Windows 11 or a late Windows 10 (`wsl --update`, `wsl --set-version NAME 2`) with NVIDIA’s driver for Windows',
    ],
  },
  {
    code: 'wsl-without-driver',
    holds: (gpus) => gpus.dxg && gpus.libcuda === undefined && gpus.devices.length === 0,
    says: () => [
      '/dev/dxg is there, but not /usr/lib/wsl/lib/libcuda.so.1, which comes with NVIDIA’s driver for Windows',
      'with an NVIDIA GPU: install its driver in Windows (never one inside WSL), then `wsl --shutdown` and start again',
    ],
  },
  {
    code: 'none',
    holds: (gpus) => !hasNvidia(gpus),
    says: () => [
      'this machine shows no NVIDIA GPU (no card on the PCI bus, no /dev/nvidia0, no /dev/dxg)',
      'compute on the CPU',
    ],
  },
  {
    code: 'container',
    holds: (gpus) => gpus.container && gpus.devices.length === 0 && !gpus.dxg,
    says: () => [
      'the machine has an NVIDIA GPU, but this container was started without it (no /dev/nvidia0)',
      'start it with the GPU: `docker run --gpus all`, `apptainer exec --nv`, or `nvidia.com/gpu` among the limits of a pod',
    ],
  },
  {
    code: 'no-driver',
    holds: (gpus) => gpus.driver === undefined && gpus.devices.length === 0 && !gpus.dxg,
    says: (gpus) => [
      `${named(gpus)} is there, but NVIDIA’s driver is not loaded (no /proc/driver/nvidia/version)`,
      'install NVIDIA’s driver (Debian: nvidia-driver, Ubuntu: `sudo ubuntu-drivers install`) and start the machine again',
    ],
  },
  {
    code: 'no-devices',
    holds: (gpus) => gpus.devices.length === 0 && !gpus.dxg,
    says: (gpus) => [
      `NVIDIA’s driver ${gpus.driver} is loaded, but there is no /dev/nvidia0: no GPU was given to this process, or its file was not made`,
      'ask the scheduler for a GPU (SLURM: --gpus 1); on a machine of your own run `sudo nvidia-smi` once',
    ],
  },
  {
    code: 'trouble',
    passing: true,
    holds: (gpus) => gpus.trouble !== undefined,
    says: (gpus) => [
      `nvidia-smi says: ${gpus.trouble}`,
      /mismatch/i.test(gpus.trouble)
        ? 'the driver was renewed while it ran: start the machine again'
        : 'ask the scheduler for a GPU, or mend the driver until `nvidia-smi` lists it',
    ],
  },
  {
    code: 'closed',
    passing: true,
    holds: (gpus) => gpus.devices.length > 0 && gpus.closed.length === gpus.devices.length,
    says: (gpus) => [
      `this user may not open ${gpus.closed.join(', ')}`,
      'join the group that owns it (often `video`), or ask the scheduler for a GPU',
    ],
  },
  {
    code: 'hidden',
    passing: true,
    holds: (gpus) => hides(gpus.visible, Math.max(gpus.devices.length, gpus.names.length)),
    says: (gpus) => [
      `CUDA_VISIBLE_DEVICES is "${gpus.visible}", which leaves this process no GPU`,
      'unset CUDA_VISIBLE_DEVICES or name a GPU in it, such as 0',
    ],
  },
  {
    code: 'not-lent',
    passing: true,
    holds: (gpus) => gpus.container && hides(gpus.lent, 0),
    says: (gpus) => [
      `NVIDIA_VISIBLE_DEVICES is "${gpus.lent}", so that this container gets no GPU`,
      'start the container with NVIDIA_VISIBLE_DEVICES=all',
    ],
  },
  {
    code: 'no-libcuda',
    passing: true,
    holds: (gpus) => gpus.container && gpus.libcuda === undefined && gpus.names.length === 0,
    says: () => [
      'the GPU is in this container, but its driver’s libcuda.so.1 is not',
      'start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    ],
  },
]

const another = {
  private: `run \`${setupCommand}\` again: it brings a libtorch for this GPU`,
  python3: `run \`${setupCommand}\` again: Attune then gets a libtorch of its own for this GPU`,
  LIBTORCH: 'name one for CUDA in LIBTORCH, or unset it, and run the set-up again',
}

/** In the way of this libtorch alone. */
const libraryReasons = [
  {
    code: 'asked',
    holds: (_, library) => library.asked === 'no',
    says: () => [
      'Attune was set up without a GPU, since ATTUNE_GPU=no asked for that',
      `unset ATTUNE_GPU and run \`${setupCommand}\` again`,
    ],
  },
  {
    code: 'rocm',
    holds: (_, library) => library.hip,
    says: (_, library) => [
      `libtorch ${library.version} (${library.how}) is built for AMD’s ROCm, which is not supported`,
      another[library.how],
    ],
  },
  {
    code: 'cpu-library',
    holds: (_, library) => library.cuda === undefined,
    says: (_, library) => [
      `libtorch ${library.version} (${library.how}) is built for the CPU alone`,
      another[library.how],
    ],
  },
  {
    code: 'old-driver',
    holds: (gpus, library) => !driverRuns(gpus, library.cuda),
    says: (gpus, library) => [
      `libtorch ${library.version} is built for CUDA ${library.cuda}, which needs NVIDIA’s driver ${driverFor(library.cuda)} or newer; ` +
        `the driver here is ${gpus.driver}${gpus.cuda === undefined ? '' : `, for CUDA ${gpus.cuda} at most`}`,
      `renew the driver${gpus.dxg ? ' in Windows' : ''}, or run \`${setupCommand}\` again: it looks for a libtorch that this driver runs`,
    ],
  },
  {
    code: 'card',
    holds: (gpus, library) => library.how !== 'LIBTORCH' && !cardsRun(gpus, library.cuda),
    says: (gpus, library) => [
      `${named(gpus)} has compute capability ${gpus.capabilities.join(', ')}, for which libtorch ${library.version} has no code`,
      `run \`${setupCommand}\` again: it looks for a libtorch that this card runs`,
    ],
  },
  {
    code: 'incomplete',
    holds: (_, library) => library.missing !== undefined,
    says: (_, library) => [
      `libtorch ${library.version} (${library.how}) is built for CUDA ${library.cuda}, but ${library.missing} is not beside it`,
      library.how === 'LIBTORCH'
        ? 'install the CUDA libraries that this torch needs (pip’s nvidia-… packages), or unset LIBTORCH'
        : another[library.how],
    ],
  },
  {
    code: 'set-up-before',
    holds: (_, library) => library.linked === false,
    says: () => [
      'Attune was set up where there was no GPU, as the image of a container may be',
      `run \`${setupCommand}\` again here, or with ATTUNE_GPU=yes where the image is made`,
    ],
  },
]

const first = (reasons, ...facts) => {
  const found = reasons.find((reason) => reason.holds(...facts))
  if (found === undefined) return undefined
  const [why, remedy] = found.says(...facts)
  return { code: found.code, why, remedy }
}

/** Whether nobody need be told that the CPU computes: there may be no GPU at all, or it is as someone wanted it. */
export const isUsual = ({ code }) =>
  ['none', 'macos', 'asked', 'hidden', 'wsl-without-gpu', 'wsl-without-driver'].includes(code)

/** Why no program on this machine computes on a GPU, or undefined. */
export const whyNotHere = (gpus) => first(machineReasons, gpus)

/** As `whyNotHere`, without what passes: the set-up prepares for a GPU that is only out of reach. */
export const whyNotSetUp = (gpus) =>
  first(
    machineReasons.filter((reason) => !reason.passing),
    gpus,
  )

/** Why this libtorch does not compute on this machine's GPU, or undefined. */
export const whyNotWith = (gpus, library) => first(libraryReasons, gpus, library)

/** What decides on the wheel of a libtorch. */
export const factsOfDriver = ({ driver, cuda, capabilities }) => JSON.stringify({ driver, cuda, capabilities })

/** Why the set-up could have no libtorch for these GPUs, where that is what it found with the same driver. */
export function noWheelFor(gpus) {
  if (!existsSync(noWheel)) return undefined
  const { facts, reason } = JSON.parse(readFileSync(noWheel, 'utf8'))
  return facts === factsOfDriver(gpus) ? reason : undefined
}
