/**
 * What this machine has of GPUs, by its files and by what NVIDIA's own `nvidia-smi` says: nothing of CUDA is loaded, so this
 * is known before a libtorch is there. The set-up chooses by it, and the program explains by it why it sees no GPU.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @param {import('./gpus.d.mts').Machine} machine
 * @returns {import('./gpus.d.mts').Gpus}
 */
export function gpusOf({ root = '/', environment = process.env, platform = process.platform, ask = true } = {}) {
  const at = (...names) => join(root, ...names)
  const text = (...names) => {
    try {
      return readFileSync(at(...names), 'utf8')
    } catch {
      return ''
    }
  }
  const names = (...folder) => {
    try {
      return readdirSync(at(...folder)).sort()
    } catch {
      return []
    }
  }
  const devices = names('dev').filter((name) => /^nvidia\d+$/.test(name))
  const cards = names('sys/bus/pci/devices').filter(
    // 03: what shows or computes images; a card's sound has a number of its own.
    (name) =>
      text('sys/bus/pci/devices', name, 'vendor').trim() === '0x10de' &&
      text('sys/bus/pci/devices', name, 'class').startsWith('0x03'),
  )
  const searched = [...(environment.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean), ...libraryFolders]
  const gpus = {
    platform,
    cards,
    devices: devices.map((name) => `/dev/${name}`),
    closed: devices.map((name) => `/dev/${name}`).filter((name) => !opens(at(name))),
    wsl: /microsoft/i.test(text('proc/sys/kernel/osrelease')) || existsSync(at('dev/dxg')),
    dxg: existsSync(at('dev/dxg')),
    amd: existsSync(at('dev/kfd')),
    container: inContainer(at, environment),
    driver: /NVRM version:.*?\s(\d{3,}\.[\d.]+)/.exec(text('proc/driver/nvidia/version'))?.[1],
    libcuda: searched.map((folder) => join(folder, 'libcuda.so.1')).find((file) => existsSync(at(file))),
    visible: environment.CUDA_VISIBLE_DEVICES,
    lent: environment.NVIDIA_VISIBLE_DEVICES,
    names: [],
    capabilities: [],
    cuda: undefined,
    trouble: undefined,
  }
  return ask && hasNvidia(gpus) ? { ...gpus, ...askNvidia(at, gpus, environment) } : gpus
}

/** Whether anything of NVIDIA's is to be seen: a card, its driver or its way through Windows. */
export const hasNvidia = (gpus) =>
  gpus.cards.length > 0 || gpus.devices.length > 0 || gpus.driver !== undefined || gpus.dxg

/** Where drivers and the runtimes of containers put libcuda.so.1. */
const libraryFolders = [
  ...['/usr/lib/wsl/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'],
  ...['/usr/lib64/nvidia', '/usr/lib/x86_64-linux-gnu/nvidia/current', '/usr/local/nvidia/lib64', '/usr/local/lib'],
  ...['/usr/local/cuda/compat', '/run/opengl-driver/lib', '/lib/x86_64-linux-gnu', '/lib64'],
]

function opens(file) {
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

const inContainer = (at, environment) =>
  existsSync(at('.dockerenv')) ||
  existsSync(at('run/.containerenv')) ||
  environment.KUBERNETES_SERVICE_HOST !== undefined ||
  Boolean(environment.APPTAINER_CONTAINER ?? environment.SINGULARITY_CONTAINER ?? environment.container)

/** nvidia-smi knows more than files do; where it fails, its own words are the reason that CUDA would give too. */
function askNvidia(at, gpus, environment) {
  const usual = ['/usr/lib/wsl/lib', '/usr/bin', '/usr/local/nvidia/bin', '/opt/bin', '/run/current-system/sw/bin']
  const folders = [...usual, ...(environment.PATH ?? '').split(delimiter).filter(Boolean)]
  const program = folders.map((folder) => at(folder, 'nvidia-smi')).find((file) => existsSync(file))
  if (program === undefined) return {}
  const run = (...words) =>
    spawnSync(program, words, {
      encoding: 'utf8',
      env: environment,
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const plain = run()
  const said = `${plain.stdout ?? ''}${plain.stderr ?? ''}`.trim().split('\n')[0]
  if (plain.status !== 0 || /^No devices/i.test(said))
    return { trouble: said || plain.error?.message || `nvidia-smi ended with ${plain.status}` }
  const listed = run('--query-gpu=name,driver_version,compute_cap', '--format=csv,noheader')
  const rows = listed.status === 0 ? listed.stdout.trim().split('\n') : []
  const cards = rows.map((row) => row.split(',').map((cell) => cell.trim())).filter((cells) => cells.length === 3)
  return {
    names: cards.map(([name]) => name),
    capabilities: cards.map(([, , capability]) => Number(capability)).filter((number) => number > 0),
    driver: gpus.driver ?? cards[0]?.[1] ?? /Driver Version:\s*([\d.]+)/.exec(plain.stdout)?.[1],
    cuda: /CUDA Version:\s*(\d+\.\d+)/.exec(plain.stdout)?.[1],
  }
}
