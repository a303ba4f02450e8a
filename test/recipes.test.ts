/** The recipes for schedulers: that they can be read, and that each process finds its place by what they set up. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import { endedFromOutside } from '../src/errors.ts'
import { partLaunch } from '../src/launch.ts'
import { nodeFromEnvironment } from '../src/place-in-group.ts'

const recipe = (name: string) => fileURLToPath(new URL(`../recipes/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-recipes-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('recipes/slurm.sbatch', () => {
  const script = recipe('slurm.sbatch')
  const options = new Map(
    [...readFileSync(script, 'utf8').matchAll(/^#SBATCH --([a-z-]+)(?:=(.*))?$/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  )
  const nodes = Number(options.get('nodes'))

  /** A program of SLURM that stands in for the real one, which is there on a cluster alone. */
  function program(name: string, lines: readonly string[]): void {
    writeFileSync(join(folder, name), ['#!/usr/bin/env bash', ...lines, ''].join('\n'))
    chmodSync(join(folder, name), 0o755)
  }

  /** Runs the script as SLURM does on the first machine; its tasks write what they were started with and end with `code`. */
  function submit(code: number, ...words: string[]) {
    const [task, requeued] = [join(folder, 'task'), join(folder, 'requeued')]
    rmSync(requeued, { force: true })
    program('scontrol', [`echo "$*" > ${requeued}`])
    program('task', [
      `env > ${folder}/env-$SLURM_PROCID; printf '%s\\n' "$@" > ${folder}/words-$SLURM_PROCID; exit ${code}`,
    ])
    program('srun', [
      'while [[ $1 == -* ]]; do shift; done',
      'export SLURM_STEP_ID=0 SLURM_LOCALID=0 SLURM_STEP_NODELIST=$SLURM_JOB_NODELIST',
      `export SLURM_STEP_NUM_TASKS=${nodes} SLURM_STEP_TASKS_PER_NODE="${options.get('ntasks-per-node')}(x${nodes})"`,
      'code=0',
      `for task in $(seq 0 ${nodes - 1}); do SLURM_PROCID=$task SLURM_NODEID=$task "$@" || code=$?; done`,
      'exit $code',
    ])
    const job = {
      ...{ SLURM_JOB_ID: '4711', SLURM_JOB_NODELIST: 'gpu[07-08]', SLURM_PROCID: '0', SLURM_NTASKS: String(nodes) },
      SLURM_CPUS_PER_TASK: options.get('cpus-per-task'),
    }
    const env = { PATH: `${folder}:${process.env.PATH}`, ATTUNE: task, ...job }
    const { status, stderr } = spawnSync('bash', [script, ...words], { env, encoding: 'utf8' })
    return { status, stderr, requeued: existsSync(requeued) ? readFileSync(requeued, 'utf8').trim() : undefined }
  }
  const lines = (file: string) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')

  test('is a script that bash can read', () => {
    const { status, stderr } = spawnSync('bash', ['-n', script], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })

  test('starts one launch a machine, each of which finds its place', () => {
    const { status, stderr, requeued } = submit(0, 'prompts.txt', 'runs/reward', 'runs/dpok', '--seed', '3')
    assert.equal(status, 0, stderr)
    assert.equal(requeued, undefined)
    const places = Array.from({ length: nodes }, (_, task) => {
      const entries = lines(`env-${task}`).map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string])
      return nodeFromEnvironment(Object.fromEntries(entries))
    })
    places.forEach((place, rank) => {
      assert.deepEqual(place, { nodes, nodeRank: rank, processes: undefined, rendezvous: places[0]?.rendezvous })
    })
    assert.match(places[0]?.rendezvous ?? '', /^tcp:\/\/gpu07:\d+$/)
    const [launch, ...words] = lines('words-1')
    assert.equal(launch, 'launch')
    const { own, command } = partLaunch(words)
    assert.deepEqual(own, ['--max-restarts', '3'])
    const given = [
      '--prompts',
      'prompts.txt',
      '--reward',
      'runs/reward',
      '--out',
      'runs/dpok',
      '--resume',
      '--seed',
      '3',
    ]
    assert.deepEqual(command, ['policy', 'dpok', ...given])
  })

  test('goes back into the queue when it was ended from outside, and not after a fault', () => {
    const ended = submit(endedFromOutside, 'prompts.txt', 'runs/reward', 'runs/dpok')
    assert.deepEqual([ended.status, ended.requeued], [endedFromOutside, 'requeue 4711'])
    for (const code of [1, 2]) {
      const { status, requeued } = submit(code, 'prompts.txt', 'runs/reward', 'runs/dpok')
      assert.deepEqual([status, requeued], [code, undefined])
    }
    assert.match(submit(0, 'prompts.txt').stderr, /^usage: /)
  })

  test('is told to end in time for a checkpoint, and may be started again', () => {
    assert.match(options.get('signal') ?? '', /^TERM@\d{3,}$/)
    assert.ok(options.has('requeue'))
    assert.equal(options.get('ntasks-per-node'), '1')
  })
})

describe('recipes/kubernetes.yaml', () => {
  // The reader that comes with knip.
  const { parseAllDocuments } = createRequire(new URL('../node_modules/knip/package.json', import.meta.url))(
    'yaml',
  ) as {
    parseAllDocuments(text: string): { readonly errors: readonly unknown[]; toJS(): unknown }[]
  }
  const documents = parseAllDocuments(readFileSync(recipe('kubernetes.yaml'), 'utf8'))
  const read = documents.map(
    (document) => document.toJS() as { kind: string; metadata: { labels: { kubeflow: string } } },
  )
  const ofKind = <T extends z.ZodType>(kind: string, schema: T) => {
    const [found, ...more] = read.filter((one) => one.kind === kind)
    assert.equal(more.length, 0)
    return schema.parse(found)
  }

  // The fields of Kubernetes and of Kubeflow that the recipe uses, and no other one: a name that they do not know is lost
  // without a word, or refused.
  const metadata = z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() })
  const amounts = z.partialRecord(
    z.enum(['cpu', 'memory', 'nvidia.com/gpu', 'storage']),
    z.union([z.string(), z.int()]),
  )
  const resources = z.strictObject({ requests: amounts, limits: amounts })
  const container = z.strictObject({
    name: z.string(),
    image: z.string(),
    command: z.array(z.string()).optional(),
    args: z.array(z.string()).optional(),
    resources: resources.optional(),
    volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })),
  })
  const volume = z.union([
    z.strictObject({
      name: z.string(),
      persistentVolumeClaim: z.strictObject({ claimName: z.literal('attune-runs') }),
    }),
    z.strictObject({
      name: z.string(),
      emptyDir: z.strictObject({ medium: z.literal('Memory'), sizeLimit: z.string() }),
    }),
  ])
  const podSpec = z.strictObject({
    restartPolicy: z.literal('Never').optional(),
    terminationGracePeriodSeconds: z.int().min(300),
    containers: z.tuple([container]),
    volumes: z.array(volume),
  })
  const pod = z.strictObject({ spec: podSpec })
  const replica = z.strictObject({ replicas: z.int(), restartPolicy: z.literal('ExitCode'), template: pod })
  const pytorchJob = z.strictObject({
    apiVersion: z.literal('kubeflow.org/v1'),
    kind: z.literal('PyTorchJob'),
    metadata,
    spec: z.strictObject({
      nprocPerNode: z.string(),
      runPolicy: z.strictObject({ backoffLimit: z.int(), cleanPodPolicy: z.enum(['All', 'Running', 'None']) }),
      pytorchReplicaSpecs: z.strictObject({ Master: replica, Worker: replica }),
    }),
  })
  const rule = z.union([
    z.strictObject({
      action: z.literal('FailJob'),
      onExitCodes: z.strictObject({ containerName: z.string(), operator: z.literal('In'), values: z.array(z.int()) }),
    }),
    z.strictObject({
      action: z.literal('Ignore'),
      onPodConditions: z.array(z.strictObject({ type: z.literal('DisruptionTarget'), status: z.literal('True') })),
    }),
  ])
  const job = z.strictObject({
    backoffLimit: z.int(),
    podFailurePolicy: z.strictObject({ rules: z.array(rule) }),
    template: pod,
  })
  const trainingRuntime = z.strictObject({
    apiVersion: z.literal('trainer.kubeflow.org/v1alpha1'),
    kind: z.literal('TrainingRuntime'),
    metadata,
    spec: z.strictObject({
      mlPolicy: z.strictObject({ numNodes: z.int(), torch: z.strictObject({ numProcPerNode: z.int() }) }),
      template: z.strictObject({
        spec: z.strictObject({
          failurePolicy: z.strictObject({ maxRestarts: z.int() }),
          replicatedJobs: z.tuple([
            z.strictObject({
              // The name and the label by which the trainer finds what to start, and the container in it.
              name: z.literal('node'),
              template: z.strictObject({
                metadata: z.strictObject({
                  labels: z.strictObject({ 'trainer.kubeflow.org/trainjob-ancestor-step': z.literal('trainer') }),
                }),
                spec: job,
              }),
            }),
          ]),
        }),
      }),
    }),
  })
  const trainJob = z.strictObject({
    apiVersion: z.literal('trainer.kubeflow.org/v1alpha1'),
    kind: z.literal('TrainJob'),
    metadata,
    spec: z.strictObject({
      runtimeRef: z.strictObject({
        apiGroup: z.literal('trainer.kubeflow.org'),
        kind: z.literal('TrainingRuntime'),
        name: z.string(),
      }),
      trainer: z.strictObject({
        numNodes: z.int(),
        numProcPerNode: z.int(),
        command: z.array(z.string()),
        args: z.array(z.string()),
        resourcesPerNode: resources,
      }),
    }),
  })

  /** The flags of `launch`, and the stage that it starts. */
  const launched = (command: readonly string[] = [], args: readonly string[] = []) => {
    assert.equal(command[0], '/attune/bin/attune')
    assert.equal(command[1], 'launch')
    return partLaunch([...command.slice(2), ...args])
  }

  test('is YAML, of objects that belong to one of the two trainers or to both', () => {
    for (const { errors } of documents) assert.deepEqual(errors, [])
    assert.deepEqual(
      read.map(({ kind, metadata }) => [kind, metadata.labels.kubeflow]),
      [
        ['PersistentVolumeClaim', 'any'],
        ['PyTorchJob', 'v1'],
        ['TrainingRuntime', 'v2'],
        ['TrainJob', 'v2'],
      ],
    )
  })

  test('PyTorchJob: its pods find their places by what the operator tells them', () => {
    const { spec } = ofKind('PyTorchJob', pytorchJob)
    const { Master: master, Worker: worker } = spec.pytorchReplicaSpecs
    const nodes = master.replicas + worker.replicas
    for (const { template } of [master, worker]) {
      const [{ name, command, args, resources: given }] = template.spec.containers
      assert.equal(name, 'pytorch')
      assert.equal(String(given?.limits['nvidia.com/gpu']), spec.nprocPerNode)
      const { own, command: stage } = launched(command, args)
      assert.deepEqual(own, ['--max-restarts', '3'])
      assert.deepEqual(stage.slice(0, 2), ['policy', 'dpok'])
      assert.ok(stage.includes('--resume'))
    }
    const processes = Number(spec.nprocPerNode)
    for (let rank = 0; rank < nodes; rank++) {
      const told = {
        ...{ PYTHONUNBUFFERED: '1', MASTER_PORT: '23456', PET_MASTER_PORT: '23456' },
        ...{ MASTER_ADDR: 'attune-dpok-master-0', PET_MASTER_ADDR: 'attune-dpok-master-0' },
        ...{ WORLD_SIZE: String(nodes * processes), RANK: String(rank), PET_NODE_RANK: String(rank) },
        ...{ PET_NPROC_PER_NODE: spec.nprocPerNode, PET_NNODES: String(nodes) },
      }
      const rendezvous = 'tcp://attune-dpok-master-0:23456'
      assert.deepEqual(nodeFromEnvironment(told), { nodes, nodeRank: rank, processes, rendezvous })
    }
  })

  test('TrainJob: its pods find their places by what the trainer tells them', () => {
    const runtime = ofKind('TrainingRuntime', trainingRuntime)
    const { spec, metadata: named } = ofKind('TrainJob', trainJob)
    assert.equal(spec.runtimeRef.name, runtime.metadata.name)
    const [{ name, template }] = runtime.spec.template.spec.replicatedJobs
    assert.equal(template.spec.template.spec.containers[0].name, name)
    const { numNodes: nodes, numProcPerNode: processes, command, args, resourcesPerNode } = spec.trainer
    assert.equal(resourcesPerNode.limits['nvidia.com/gpu'], processes)
    assert.deepEqual(launched(command, args).own, ['--max-restarts', '3'])
    for (let rank = 0; rank < nodes; rank++) {
      const told = {
        ...{ PET_NNODES: String(nodes), PET_NPROC_PER_NODE: String(processes), PET_NODE_RANK: String(rank) },
        ...{ PET_MASTER_ADDR: `${named.name}-${name}-0-0.${named.name}`, PET_MASTER_PORT: '29400' },
      }
      const rendezvous = 'tcp://attune-dpok-node-0-0.attune-dpok:29400'
      assert.deepEqual(nodeFromEnvironment(told), { nodes, nodeRank: rank, processes, rendezvous })
    }
  })

  test('both do the same, in pods that have a GPU a process and time to end', () => {
    const [{ args: ofV1, volumeMounts }] = ofKind('PyTorchJob', pytorchJob).spec.pytorchReplicaSpecs.Master.template
      .spec.containers
    const v2 = ofKind('TrainJob', trainJob)
    assert.deepEqual(v2.spec.trainer.args, ofV1)
    assert.deepEqual(volumeMounts.map(({ mountPath }) => mountPath), ['/runs', '/dev/shm']) // prettier-ignore
  })
})
