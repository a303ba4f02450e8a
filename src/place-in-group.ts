/**
 * Where a process stands in a group that trains as one, as those tell it that start processes: `attune launch`, torchrun
 * and accelerate, Kubeflow's PyTorchJob and TrainJob, SLURM's srun.
 */
import { ConfigError } from './errors.ts'

export interface Place {
  /** 0 to size - 1; the first one writes. */
  readonly rank: number
  readonly size: number
  /** Among the processes of this machine: which of its GPUs is this one's. */
  readonly localRank: number
  readonly localSize: number
  /** Where they meet: `tcp://host:port`, or `file:///path` on a disk that all see. */
  readonly rendezvous: string
  /** The first process serves the rendezvous, unless the one that started it does. */
  readonly isServed: boolean
  /** How often all were started again: what earlier processes left at the rendezvous is not theirs. */
  readonly attempt: number
}

/** A machine of several, whose processes `attune launch` starts. */
export interface Node {
  readonly nodes: number
  readonly nodeRank: number
  /** One a GPU, or one a core, where it is a word. */
  readonly processes: number | 'auto' | 'gpu' | 'cpu' | undefined
  readonly rendezvous: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** By these a launcher tells a process its place; what it starts in its turn has none. */
export const placeVariables = [
  ...['RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'LOCAL_WORLD_SIZE', 'ATTUNE_RENDEZVOUS', 'ATTUNE_ATTEMPT'],
  ...['PET_NNODES', 'PET_NODE_RANK', 'PET_NPROC_PER_NODE', 'SLURM_PROCID', 'SLURM_STEP_NUM_TASKS'],
] as const

/**
 * The place that the environment gives to this process; undefined where it stands alone.
 *
 * @throws {ConfigError} half a place, numbers that cannot be, or a machine of which several processes are wanted
 */
export function groupFromEnvironment(env: Environment): Place | undefined {
  const isNode = env.LOCAL_RANK === undefined && env.PET_NNODES !== undefined
  const place = isNode ? ofNode(env) : isGiven(env, 'RANK', 'WORLD_SIZE') ? ofProcess(env) : ofSlurmTask(env)
  return place === undefined || place.size === 1 ? undefined : place
}

/**
 * The machine that the environment describes to `attune launch`; undefined where it tells nothing.
 *
 * @throws {ConfigError} numbers that cannot be
 */
export function nodeFromEnvironment(env: Environment): Node | undefined {
  if (env.PET_NNODES !== undefined) {
    const nodes = wholeOf(env, 'PET_NNODES', 1)
    const rank = env.PET_NODE_RANK === undefined && env.RANK !== undefined ? 'RANK' : 'PET_NODE_RANK'
    const nodeRank = nodes === 1 && env[rank] === undefined ? 0 : wholeOf(env, rank, 0, nodes - 1)
    return { nodes, nodeRank, processes: processesOf(env), rendezvous: nodes === 1 ? undefined : addressOf(env) }
  }
  if (env.LOCAL_RANK === undefined && isGiven(env, 'RANK', 'WORLD_SIZE')) {
    const nodes = wholeOf(env, 'WORLD_SIZE', 1)
    const nodeRank = wholeOf(env, 'RANK', 0, nodes - 1)
    return { nodes, nodeRank, processes: undefined, rendezvous: nodes === 1 ? undefined : addressOf(env) }
  }
  const task = ofSlurmTask(env)
  if (task === undefined) return undefined
  if (task.localSize !== 1) {
    throw new ConfigError({
      where: 'srun attune launch',
      expected: 'one task a machine, which starts the processes there',
      received: `${task.localSize} tasks on this one`,
      remedy: 'add --ntasks-per-node=1 to srun, or leave `launch` out: srun can start the processes itself',
    })
  }
  return { nodes: task.size, nodeRank: task.rank, processes: undefined, rendezvous: task.rendezvous }
}

/** torchrun, accelerate, `attune launch`; PyTorchJob with one process a pod. */
function ofProcess(env: Environment): Place {
  const size = wholeOf(env, 'WORLD_SIZE', 1)
  const rank = wholeOf(env, 'RANK', 0, size - 1)
  const localSize = env.LOCAL_WORLD_SIZE === undefined ? 1 : wholeOf(env, 'LOCAL_WORLD_SIZE', 1, size)
  const localRank = env.LOCAL_RANK === undefined ? 0 : wholeOf(env, 'LOCAL_RANK', 0)
  const isServed = env.TORCHELASTIC_USE_AGENT_STORE === 'True'
  const [restarts] = ['ATTUNE_ATTEMPT', 'TORCHELASTIC_RESTART_COUNT'].filter((name) => env[name] !== undefined)
  const attempt = restarts === undefined ? 0 : wholeOf(env, restarts, 0)
  const rendezvous = size === 1 ? '' : (env.ATTUNE_RENDEZVOUS ?? addressOf(env))
  return { rank, size, localRank, localSize: Math.max(localSize, localRank + 1), rendezvous, isServed, attempt }
}

/** Kubeflow's variables address machines, not processes: with one process each that is the same. */
function ofNode(env: Environment): Place | undefined {
  const { nodes, nodeRank, processes, rendezvous } = nodeFromEnvironment(env)!
  const isOne = (processes ?? 1) === 1 || (nodes === 1 && typeof processes === 'string')
  if (!isOne) {
    throw new ConfigError({
      where: 'PET_NPROC_PER_NODE',
      expected: '1, where each machine is to run one process',
      received: String(processes),
      remedy: 'put `launch` before the command: `attune launch policy dpok …` starts that many',
    })
  }
  if (rendezvous === undefined) return undefined
  return { rank: nodeRank, size: nodes, localRank: 0, localSize: 1, rendezvous, isServed: false, attempt: 0 }
}

/**
 * A task that srun has started. The script of sbatch itself is none, though it has a rank too: only steps have
 * SLURM_STEP_NUM_TASKS.
 */
function ofSlurmTask(env: Environment): Place | undefined {
  if (env.SLURM_STEP_NUM_TASKS === undefined || env.SLURM_PROCID === undefined) return undefined
  const size = wholeOf(env, 'SLURM_STEP_NUM_TASKS', 1)
  if (size === 1) return undefined
  const rank = wholeOf(env, 'SLURM_PROCID', 0, size - 1)
  const localRank = env.SLURM_LOCALID === undefined ? 0 : wholeOf(env, 'SLURM_LOCALID', 0)
  const counts = countsOf(env.SLURM_STEP_TASKS_PER_NODE ?? env.SLURM_TASKS_PER_NODE ?? '')
  const localSize = counts[Number(env.SLURM_NODEID ?? 0)] ?? 1
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST
  const host = env.MASTER_ADDR ?? (nodes === undefined ? undefined : firstHost(nodes))
  if (host === undefined) throw missing('SLURM_STEP_NODELIST', 'SLURM_PROCID')
  const rendezvous = `tcp://${host}:${env.MASTER_PORT === undefined ? slurmPort(env) : portOf(env, 'MASTER_PORT')}`
  const attempt = env.SLURM_RESTART_COUNT === undefined ? 0 : wholeOf(env, 'SLURM_RESTART_COUNT', 0)
  return { rank, size, localRank, localSize: Math.max(localSize, localRank + 1), rendezvous, isServed: false, attempt }
}

/** Two jobs, or two steps of one, on the same machine meet at different ports. */
const slurmPort = (env: Environment) =>
  15_000 + ((Number(env.SLURM_JOB_ID ?? 0) * 7 + Number(env.SLURM_STEP_ID ?? 0)) % 15_000 || 0)

/** `gpu[03-05,07],login` → `gpu03` */
export const firstHost = (list: string): string =>
  list
    .replaceAll(/\[([^\],-]+)[^\]]*\]/g, '$1')
    .split(',')[0]
    .trim()

/** `2(x3),1` → 2, 2, 2, 1 */
const countsOf = (list: string) =>
  list.split(',').flatMap((part) => {
    const [, count, times] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? []
    return count === undefined ? [] : Array.from({ length: Math.min(Number(times ?? 1), 65_536) }, () => Number(count))
  })

function processesOf(env: Environment): Node['processes'] {
  const given = env.PET_NPROC_PER_NODE
  if (given === undefined || given === 'auto' || given === 'gpu' || given === 'cpu') return given
  return wholeOf(env, 'PET_NPROC_PER_NODE', 1)
}

function addressOf(env: Environment): string {
  const [host, port] = (['ADDR', 'PORT'] as const).map((part) =>
    env[`PET_MASTER_${part}`] === undefined ? `MASTER_${part}` : `PET_MASTER_${part}`,
  )
  const endpoint = env.PET_RDZV_ENDPOINT
  if (env[host] === undefined && endpoint !== undefined) return rendezvousOf('PET_RDZV_ENDPOINT', endpoint)
  if (env[host] === undefined) throw missing('MASTER_ADDR', 'WORLD_SIZE')
  return `tcp://${env[host]}:${portOf(env, port)}`
}

/**
 * `host:port` → `tcp://host:port`
 * @throws {ConfigError}
 */
export function rendezvousOf(where: string, address: string): string {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? []
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return `tcp://${host}:${Number(port)}`
  throw new ConfigError({
    where,
    expected: 'host:port of the first machine',
    received: address,
    remedy: 'give its name as the others know it, and a port that is free there: node-0:29500',
  })
}

/** The port that torch chooses where none is given. */
const portOf = (env: Environment, name: string) => (env[name] === undefined ? 29_500 : wholeOf(env, name, 1, 65_535))

function isGiven(env: Environment, one: string, other: string): boolean {
  const [first, second] = [env[one] !== undefined, env[other] !== undefined]
  if (first !== second) throw missing(first ? other : one, first ? one : other)
  return first
}

const missing = (name: string, beside: string) =>
  new ConfigError({
    where: name,
    expected: `a value, since ${beside} says that this process is one of several`,
    received: 'nothing',
    remedy: `set ${name} as well, or unset ${beside} to run alone`,
  })

function wholeOf(env: Environment, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const text = (env[name] ?? '').trim()
  const number = /^\d+$/.test(text) ? Number(text) : NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new ConfigError({
    where: name,
    expected: `a whole number ${range}`,
    received: env[name] === undefined ? 'nothing' : JSON.stringify(env[name]),
    remedy:
      'it comes from what started this process: `attune launch`, torchrun, a scheduler; correct or unset it there',
  })
}

/** Where a process stands, without where the others are met. */
export type Standing = Pick<Place, 'rank' | 'size' | 'localRank' | 'localSize'>

let current: Standing | undefined

/**
 * From now on this process has this place: what only the first one does, the others leave. Called by the group, and by a
 * process that works for one of the group.
 */
export function takePlace(place: Standing): void {
  current = place
}

/** Of this process, where it is one of a group. */
export const placeOfThis = (): Standing => current ?? { rank: 0, size: 1, localRank: 0, localSize: 1 }
