import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstHost, groupFromEnvironment, nodeFromEnvironment, rendezvousOf } from './place-in-group.ts'

const torchrun = {
  RANK: '3',
  WORLD_SIZE: '4',
  LOCAL_RANK: '1',
  LOCAL_WORLD_SIZE: '2',
  MASTER_ADDR: 'node-a',
  MASTER_PORT: '29400',
}
const alone = { localRank: 0, localSize: 1, isServed: false, attempt: 0 }

test('a process without any of these variables, and the only one of its group, stand alone', () => {
  assert.equal(groupFromEnvironment({ PATH: '/bin' }), undefined)
  assert.equal(groupFromEnvironment({ RANK: '0', WORLD_SIZE: '1' }), undefined)
  assert.equal(groupFromEnvironment({ PET_NNODES: '1', PET_NPROC_PER_NODE: 'auto' }), undefined)
})

test('torchrun and accelerate: each process has its rank', () => {
  assert.deepEqual(groupFromEnvironment(torchrun), {
    rank: 3,
    size: 4,
    localRank: 1,
    localSize: 2,
    rendezvous: 'tcp://node-a:29400',
    isServed: false,
    attempt: 0,
  })
  const elastic = { ...torchrun, TORCHELASTIC_USE_AGENT_STORE: 'True', TORCHELASTIC_RESTART_COUNT: '2' }
  const { isServed, attempt } = groupFromEnvironment(elastic)!
  assert.deepEqual({ isServed, attempt }, { isServed: true, attempt: 2 })
})

test('what torchrun 2.13 and accelerate 1.15 set up for the second of two processes', () => {
  // Of one machine, of the second of two by --master-addr, and of the second by --rdzv-endpoint.
  const told = { RANK: '1', WORLD_SIZE: '2', TORCHELASTIC_RESTART_COUNT: '0', TORCHELASTIC_USE_AGENT_STORE: 'True' }
  const place = { rank: 1, size: 2, isServed: true, attempt: 0 }
  assert.deepEqual(
    groupFromEnvironment({
      ...told,
      LOCAL_RANK: '1',
      LOCAL_WORLD_SIZE: '2',
      MASTER_ADDR: 'localhost',
      MASTER_PORT: '46103',
    }),
    { ...place, localRank: 1, localSize: 2, rendezvous: 'tcp://localhost:46103' },
  )
  const alone = { LOCAL_RANK: '0', LOCAL_WORLD_SIZE: '1', GROUP_RANK: '1', GROUP_WORLD_SIZE: '2' }
  assert.deepEqual(groupFromEnvironment({ ...told, ...alone, MASTER_ADDR: '10.0.0.1', MASTER_PORT: '29611' }), {
    ...place,
    ...{ localRank: 0, localSize: 1, rendezvous: 'tcp://10.0.0.1:29611' },
  })
  // On CPUs accelerate starts one process, whatever it is told, and names an address without a rank.
  assert.equal(
    groupFromEnvironment({ MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29500', ACCELERATE_USE_CPU: 'True' }),
    undefined,
  )
})

test('torchrun inside a pod of Kubeflow: its own variables come first', () => {
  const place = groupFromEnvironment({ ...torchrun, PET_NNODES: '2', PET_NODE_RANK: '1', PET_NPROC_PER_NODE: '2' })
  assert.equal(place?.rank, 3)
  assert.equal(place?.size, 4)
})

test('attune launch: processes of one machine meet in a file', () => {
  const { MASTER_ADDR: _, MASTER_PORT: __, ...rest } = torchrun
  const place = groupFromEnvironment({ ...rest, ATTUNE_RENDEZVOUS: 'file:///tmp/meet', ATTUNE_ATTEMPT: '1' })
  assert.deepEqual([place?.rendezvous, place?.attempt], ['file:///tmp/meet', 1])
})

test('a PyTorchJob with one process a pod, with and without its PET variables', () => {
  const pod = { RANK: '1', WORLD_SIZE: '3', MASTER_ADDR: 'job-master-0', MASTER_PORT: '23456' }
  const expected = { ...alone, rank: 1, size: 3, rendezvous: 'tcp://job-master-0:23456' }
  assert.deepEqual(groupFromEnvironment(pod), expected)
  const newer = { ...pod, PET_NNODES: '3', PET_NODE_RANK: '1', PET_NPROC_PER_NODE: '1' }
  assert.deepEqual(groupFromEnvironment(newer), expected)
})

test('a TrainJob addresses machines: one process each goes alone, several need launch', () => {
  const pod = {
    PET_NNODES: '2',
    PET_NODE_RANK: '1',
    PET_NPROC_PER_NODE: '1',
    PET_MASTER_ADDR: 'job-node-0-0.job',
    PET_MASTER_PORT: '29500',
  }
  const rendezvous = 'tcp://job-node-0-0.job:29500'
  assert.deepEqual(groupFromEnvironment(pod), { ...alone, rank: 1, size: 2, rendezvous })
  const four = { ...pod, PET_NPROC_PER_NODE: '4' }
  assert.throws(() => groupFromEnvironment(four), /PET_NPROC_PER_NODE: expected 1.*received 4 — put `launch`/)
  assert.deepEqual(nodeFromEnvironment(four), { nodes: 2, nodeRank: 1, processes: 4, rendezvous })
  assert.equal(nodeFromEnvironment({ ...pod, PET_NPROC_PER_NODE: 'gpu' })?.processes, 'gpu')
  // A PyTorchJob whose pods run several: RANK is the pod's there, and WORLD_SIZE counts all processes.
  const job = {
    RANK: '1',
    WORLD_SIZE: '8',
    MASTER_ADDR: 'm',
    MASTER_PORT: '1',
    PET_NNODES: '2',
    PET_NPROC_PER_NODE: '4',
  }
  assert.deepEqual(nodeFromEnvironment(job), { nodes: 2, nodeRank: 1, processes: 4, rendezvous: 'tcp://m:1' })
})

test('srun: a task is a process; the script of sbatch is none', () => {
  const script = { SLURM_JOB_ID: '70001', SLURM_NTASKS: '6', SLURM_PROCID: '0', SLURM_JOB_NODELIST: 'gpu[03-05,07]' }
  assert.equal(groupFromEnvironment(script), undefined)
  const task = {
    ...script,
    SLURM_PROCID: '3',
    SLURM_LOCALID: '1',
    SLURM_NODEID: '1',
    SLURM_STEP_ID: '0',
    SLURM_STEP_NUM_TASKS: '6',
    SLURM_STEP_TASKS_PER_NODE: '2(x3)',
    SLURM_STEP_NODELIST: 'gpu[03-05]',
  }
  const place = groupFromEnvironment(task)!
  assert.deepEqual([place.rank, place.size, place.localRank, place.localSize], [3, 6, 1, 2])
  assert.match(place.rendezvous, /^tcp:\/\/gpu03:\d{5}$/)
  assert.equal(groupFromEnvironment({ ...task, SLURM_PROCID: '5' })?.rendezvous, place.rendezvous)
  assert.notEqual(groupFromEnvironment({ ...task, SLURM_JOB_ID: '70002' })?.rendezvous, place.rendezvous)
  const told = groupFromEnvironment({ ...task, MASTER_ADDR: '10.0.0.1', MASTER_PORT: '4000' })
  assert.equal(told?.rendezvous, 'tcp://10.0.0.1:4000')
  assert.equal(groupFromEnvironment({ ...task, SLURM_RESTART_COUNT: '2' })?.attempt, 2)
  assert.throws(() => nodeFromEnvironment(task), /expected one task a machine.*received 2/)
  const one = {
    ...task,
    SLURM_STEP_NUM_TASKS: '3',
    SLURM_PROCID: '2',
    SLURM_LOCALID: '0',
    SLURM_STEP_TASKS_PER_NODE: '1(x3)',
  }
  assert.equal(nodeFromEnvironment(one)?.nodes, 3)
  assert.equal(nodeFromEnvironment(one)?.nodeRank, 2)
})

test('the first host of a list of SLURM', () => {
  const cases = {
    node7: 'node7',
    'a1,a2': 'a1',
    'n[1-4]': 'n1',
    'n[08,10-12],m3': 'n08',
    'r[1-2]c[01-16]-ib': 'r1c01-ib',
  }
  for (const [list, first] of Object.entries(cases)) assert.equal(firstHost(list), first)
})

test('half a place and numbers that cannot be are refused by their name', () => {
  const refused: [Record<string, string | undefined>, RegExp][] = [
    [{ RANK: '0' }, /^WORLD_SIZE: .*unset RANK/],
    [{ WORLD_SIZE: '2' }, /^RANK: /],
    [{ ...torchrun, RANK: '4' }, /^RANK: expected a whole number from 0 to 3, received "4"/],
    [{ ...torchrun, RANK: 'one' }, /^RANK: .*received "one"/],
    [{ ...torchrun, WORLD_SIZE: '0' }, /^WORLD_SIZE: expected a whole number of at least 1/],
    [{ ...torchrun, MASTER_ADDR: undefined }, /^MASTER_ADDR: /],
    [{ ...torchrun, MASTER_PORT: '70000' }, /^MASTER_PORT: /],
    [{ PET_NNODES: '1:3', PET_NODE_RANK: '0' }, /^PET_NNODES: /],
    [{ SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '2' }, /^SLURM_STEP_NODELIST: /],
  ]
  for (const [env, message] of refused) assert.throws(() => groupFromEnvironment(env), { name: 'ConfigError', message })
  for (const address of ['node', 'node:0', ':80', 'node:99999']) {
    assert.throws(() => rendezvousOf('--rendezvous', address), { name: 'ConfigError' })
  }
  assert.equal(rendezvousOf('--rendezvous', 'node-0:29500'), 'tcp://node-0:29500')
})
