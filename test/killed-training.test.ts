/**
 * Every stage that trains, by its real work and at its smallest: killed at random moments, it goes on to the run that it
 * would have been, in every file and to the bit.
 *
 * Between two changes of files a folder stays as it is. So a run is copied at random changes of its files, as a kill would
 * leave it there; another one is killed by SIGKILL.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { flagName } from '../src/config.ts'
import { ImportConfig, importLabels } from '../src/feedback/import-labels.ts'
import { GenerateConfig, generateImages } from '../src/images/generate-images.ts'
import { open, probeOf } from '../src/open.ts'
import { beforeFileChanges } from '../src/policy/kill-at-write.test-helper.ts'
import { policySchema, trainPolicy } from '../src/policy/train-policy.ts'
import { random } from '../src/random.ts'
import { ImageRecord } from '../src/records.ts'
import { RewardTrainConfig } from '../src/reward/training/reward-train-config.ts'
import { trainReward } from '../src/reward/training/train-reward.ts'
import { manifestName } from '../src/run-folder.ts'
import { lockName } from '../src/run-lock.ts'
import { isPolicyStage, stages, takesInput, type PolicyStage, type StageInput, type StageName } from '../src/stages.ts'

const moments = 20

const root = mkdtempSync(join(tmpdir(), 'attune-killed-'))
const at = (...names: string[]) => join(root, ...names)
after(() => rmSync(root, { recursive: true, force: true }))

type TrainingStage = PolicyStage | 'reward train'
const trainingStages = (Object.keys(stages) as StageName[]).filter((name): name is TrainingStage =>
  ['policy', 'reward'].includes(stages[name].kind),
)
/** Settings that make another training of a stage. */
const variants: readonly (readonly [
  stage: TrainingStage,
  title: string,
  settings: Readonly<Record<string, unknown>>,
])[] = [
  ...trainingStages.map((stage) => [stage, stage, {}] as const),
  [
    'reward train',
    'reward train of an encoder',
    { trainEncoder: 'lora', encoderEpochs: 3, encoderBatchSize: 4, rank: 2, ensemble: 0, shrink: false },
  ],
]

const inputs: Partial<Record<StageInput, Readonly<Record<string, unknown>>>> = {
  prompts: { prompts: at('prompts.txt') },
  images: { images: [at('images')] },
  judgments: { feedback: at('feedback.sqlite') },
  pairs: { feedback: at('feedback.sqlite') },
  reward: { reward: at('reward') },
}
/** Of these a stage gets those that it has. */
const small: Readonly<Record<string, unknown>> = {
  ...{
    seed: 3,
    threads: 1,
    steps: 3,
    checkpointEvery: 1,
    checkpointsKept: 2,
    sampleEvery: 2,
    samples: 2,
    probeEvery: 2,
  },
  ...{ imagesDrawn: 16, rolloutsPerIteration: 4, gradientSteps: 2, transitionsPerRollout: 2, valueUpdates: 2 },
  ...{ groupSize: 2, timesPerImage: 2, oldDecaySlope: 0.2, promptMemory: 3, window: 1 },
  ...{ updates: 4, batchSize: 4, heldOut: 0.5, heldOutEvery: 2, ties: 'davidson', klO: 0.1, pretrainingWeight: 0 },
  ...{ imagesPerUpdate: 4, heldOutReward: 'clip-score' },
  ...{ epochs: 2, ensemble: 2, distractors: 2 },
}

/** Of one alone: its rounds begin with the images that it is given. */
const smallOf: Partial<Record<TrainingStage, Readonly<Record<string, unknown>>>> = {
  'policy reward-weighted': { imagesDrawn: 8, signed: true },
}

const schemaOf = (stage: TrainingStage): Promise<z.ZodObject> =>
  isPolicyStage(stage) ? policySchema(stage) : Promise.resolve(RewardTrainConfig)

async function settingsOf(stage: TrainingStage, more: object = {}): Promise<Record<string, unknown>> {
  const { shape } = await schemaOf(stage)
  const taken = (Object.keys(inputs) as StageInput[]).filter((input) => takesInput(stage, input))
  const own = Object.entries({ ...small, ...smallOf[stage], ...more }).filter(([field]) => Object.hasOwn(shape, field))
  return Object.assign(Object.fromEntries(own), ...taken.map((input) => inputs[input])) as Record<string, unknown>
}

async function train(stage: TrainingStage, out: string, resume = false, more: object = {}): Promise<void> {
  const given = { ...(await settingsOf(stage, more)), out, resume }
  if (isPolicyStage(stage)) {
    const config = (await policySchema(stage)).parse(given)
    await trainPolicy(stage, config, open, { judge: await probeOf(config.model) })
  } else await trainReward(RewardTrainConfig.parse(given), open)
}

/** Hears of each change of a file below a folder while it is set. */
let onChange: (() => void) | undefined
let isCopying = false
before(async () => {
  beforeFileChanges(() => {
    if (!isCopying) onChange?.()
  })
  writeFileSync(at('prompts.txt'), 'two red circles\ngreen triangles\nthree crosses\n')
  const drawing = { prompts: at('prompts.txt'), perPrompt: 4, steps: 3, out: at('images') }
  await generateImages(GenerateConfig.parse(drawing), open)
  const ids = readFileSync(at('images', 'images.jsonl'), 'utf8').trim().split('\n').map((line) => ImageRecord.parse(JSON.parse(line)).id) // prettier-ignore
  const pairOf = (id: string, i: number) => (i % 2 === 1 ? [`${ids[i - 1]} ${id},${i % 4 === 1 ? 'first' : 'tie'},pair`] : []) // prettier-ignore
  const rows = ids.flatMap((id, i) => [`${id},${i % 2 === 0 ? 'good' : 'bad'},`, ...pairOf(id, i)])
  writeFileSync(at('labels.csv'), `image,answer,kind\n${rows.join('\n')}\n`)
  const labels = { feedback: at('feedback.sqlite'), images: [at('images')], labels: at('labels.csv') }
  await importLabels(ImportConfig.parse(labels))
  await train('reward train', at('reward'))
})

/** As a killed process would leave the folder: its lock names a process that is gone. */
function leave(folder: string, copy: string): void {
  if (!existsSync(folder)) return
  cpSync(folder, copy, { recursive: true })
  for (const name of readdirSync(copy).filter((one) => one.startsWith(lockName))) {
    const text = readFileSync(join(copy, name), 'utf8')
    if (text !== '') writeFileSync(join(copy, name), JSON.stringify({ ...JSON.parse(text), began: 'long ago' }))
  }
}

/** Content by path; of what tells the time, the rest. The events of TensorBoard are the rows of the metrics. */
function published(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  const named = files.map((file): [string, string] => {
    const [name, bytes] = [relative(folder, file), readFileSync(file)]
    if (name === manifestName) return [name, timeless(bytes.toString())]
    if (name.endsWith('.jsonl')) return [name, bytes.toString().replaceAll(/"at":"[^"]*",?/g, '')]
    return [name, bytes.toString('base64')]
  })
  return new Map(named.filter(([name]) => !name.startsWith('events.')))
}

function timeless(manifest: string): string {
  type Manifest = Record<string, unknown> & { results: object; files: { file: string }[] }
  const {
    startedAt: _startedAt,
    finishedAt: _finishedAt,
    seconds: _seconds,
    ...rest
  } = JSON.parse(manifest) as Manifest
  const files = rest.files.map(({ file }) => file).filter((file) => !file.startsWith('events.'))
  return JSON.stringify({ ...rest, files, results: { ...rest.results, seconds: 0 } })
}

function assertSame(folder: string, whole: string, when: string): void {
  const [own, theirs] = [published(folder), published(whole)]
  assert.deepEqual([...own.keys()], [...theirs.keys()], when)
  for (const [name, content] of theirs) assert.ok(own.get(name) === content, `${name} is another, ${when}`)
}

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const killer = new URL('../src/policy/kill-at-write.test-helper.ts', import.meta.url).href

const attune = (words: readonly string[], env = process.env, preloaded: readonly string[] = []) =>
  spawnSync(process.execPath, [...preloaded, cli, ...words], { env, encoding: 'utf8' })

const wordsOf = (settings: Readonly<Record<string, unknown>>) =>
  Object.entries(settings).flatMap(([field, value]) => {
    if (value === false) return [flagName(field).replace('--', '--no-')]
    return [flagName(field), ...(value === true ? [] : [String(value)])]
  })

for (const [place, [stage, title, more]] of variants.entries()) {
  describe(title, () => {
    const [name, whole] = [title.replaceAll(' ', '-'), at(`${title}-whole`)]
    let changes = 0
    before(async () => {
      onChange = () => changes++
      await train(stage, whole, false, more)
      onChange = undefined
    })

    test(`goes on from ${moments} random moments to the same files`, async () => {
      const stream = random(12, place)
      const drawn = stream.shuffle(Array.from({ length: changes }, (_, change) => change)).slice(0, moments)
      const chosen = new Set(drawn)
      const folder = at(`${name}-copied`)
      let change = 0
      onChange = () => {
        if (!chosen.has(change++)) return
        isCopying = true
        leave(folder, at(`${name}-${change - 1}`))
        isCopying = false
      }
      await train(stage, folder, false, more)
      onChange = undefined
      assert.equal(change, changes)
      for (const each of drawn) {
        const killed = at(`${name}-${each}`)
        const isFinished = existsSync(join(killed, manifestName))
        if (!isFinished) await train(stage, killed, true, more)
        const when = `killed at change ${each} of ${changes}`
        if (isFinished) assert.equal(published(killed).get(manifestName), published(whole).get(manifestName), when)
        else assertSame(killed, whole, when)
        rmSync(killed, { recursive: true, force: true })
      }
    })

    test('goes on after SIGKILL by the command line, from the checkpoint before where the newest one is damaged', async () => {
      const killed = at(`${name}-killed`)
      const words = [...stage.split(' '), ...wordsOf(await settingsOf(stage, more)), '--out', killed]
      const env = { ...process.env, KILL_AT: String(Math.floor(0.8 * changes)) }
      const ended = attune([...words], env, ['--import', killer])
      assert.equal(ended.signal, 'SIGKILL', ended.stderr)
      const all = readdirSync(killed, { recursive: true, encoding: 'utf8' })
      const newest = all.filter((file) => /^(checkpoint|fits\/(\d+|encoder))\.safetensors$/.test(file)).sort().at(-1)! // prettier-ignore
      truncateSync(join(killed, newest), 300)
      const { status, stderr } = attune([...words, '--resume'])
      assert.equal(status, 0, stderr)
      const goesOn = /fits\/\d/.test(newest) ? 'this fit begins again' : 'going on from (checkpoint|encoder)-00000\\d.safetensors, of step \\d' // prettier-ignore
      assert.match(stderr, new RegExp(`warning: .*${newest}: expected .*; ${goesOn}`))
      assertSame(killed, whole, 'after SIGKILL')
    })
  })
}
