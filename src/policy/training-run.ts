/**
 * A training run that can be killed at any time and continued: all changing state goes into one checkpoint file, and the
 * rows of `metrics.jsonl` behind it are cut off on resuming, so the result is that of an uninterrupted run: to the bit on a
 * CPU, and on a GPU with `--deterministic`. The last step has a checkpoint too, which goes when the manifest is on the disk:
 * nothing that was finished is ever trained again.
 *
 * SIGTERM is one more reason for a checkpoint, after the step that is under way, and the end: see `tensor/orderly-end.ts`.
 *
 * A checkpoint names all that the run depends on by its hash. Nothing that is not finite is written: a step that leaves
 * the finite numbers, or moves parameters out of all proportion, ends the run before its row and its checkpoint.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { loraScaleField } from '../images/open-model.ts'
import { expectFiniteNumbers } from '../checked.ts'
import { AttuneError, endedFromOutside, RunInUseError } from '../errors.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { sampleNowName } from '../run-files.ts'
import { metricsName } from '../run-metrics.ts'
import { secondRewardName } from '../reward/open-reward.ts'
import { resumeField, startRun, type Manifest, type Run, type RunOptions } from '../run.ts'
import { Checkpoints, checkpointsKeptField } from '../tensor/checkpoints.ts'
import { alone, type Group } from '../tensor/group.ts'
import { largestValues } from '../tensor/finite.ts'
import { holdEnd, isEndAsked, stopped } from '../tensor/orderly-end.ts'
import { expectSameEverywhere } from '../tensor/same-everywhere.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, numbersOf, under, type TrainingState } from '../tensor/training-state.ts'
import { asDivergence, expectInProportion, expectPrediction, isSoundGrowth } from './divergence.ts'

export const checkpointName = 'checkpoint.safetensors'

export const trainingRunFields = {
  policy: optionalText.describe(
    'Run whose policy is trained further; the pre-trained model without it, which stays the reference.',
  ),
  ...loraScaleField,
  seed: z.int().nonnegative().default(0).describe('Seed of everything that is random.'),
  checkpointEvery: z
    .int()
    .positive()
    .default(20)
    .describe('Steps between checkpoints; where these take long, there is one about every half minute as well.'),
  ...checkpointsKeptField,
  sampleEvery: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Steps between sample images of the policy, the start and the end included; 0 draws none.'),
  samples: z
    .int()
    .positive()
    .max(10_000)
    .default(8)
    .describe('Sample images at a time, one of each prompt; all are in memory at once.'),
  scorer: secondRewardName
    .nullable()
    .default(null)
    .describe('Reward that measures the sample images, as a curve: nothing chooses by it.'),
  probeEvery: z
    .int()
    .nonnegative()
    .max(100_000_000)
    .nullable()
    .default(null)
    .describe(
      'Steps between looks at probe images for signs of over-optimisation, 0 for none; without it as often as 5 % of the work of the training allow, and not at all where that is too seldom.',
    ),
  heldOutReward: secondRewardName
    .nullable()
    .default(null)
    .describe('Reward that the training does not see: an alarm where it falls while the trained one rises.'),
  stopOnAlarm: z
    .boolean()
    .default(false)
    .describe('Ends the training at an alarm of over-optimisation, with the policy of the best look before it.'),
  resume: resumeField.describe(
    'Goes on with an unfinished run of the same settings, to the result that it would have had: to the bit on a CPU and with --deterministic, else up to rounding. Learning rates, the norm of gradients, checkpoints, samples and where it computes may be others.',
  ),
  out: z.string().min(1).describe('Run folder to write.'),
}

/** Settings that may be others when a training run goes on: they change neither what a checkpoint means nor its shapes. */
export const changeableFields = [
  'learningRate',
  'maxGradNorm',
  'checkpointEvery',
  'checkpointsKept',
  'sampleEvery',
  'samples',
  'scorer',
  'encoder',
  'gradientCheckpointing',
  'mixedPrecision',
  'device',
  'deterministic',
  'threads',
] as const

/**
 * Does a stage's work in a run folder that stays for `--resume` once it has a checkpoint; before that, a failure of the
 * process that began it leaves nothing behind, unless it was ended from outside.
 */
export async function inTrainingRun(options: RunOptions, work: (run: Run) => Promise<Manifest>): Promise<Manifest> {
  using run = startRun({ changeable: changeableFields, ...options })
  try {
    return await work(run)
  } catch (error) {
    if (error instanceof AttuneError && error.exitCode === endedFromOutside) run.keep()
    throw error
  }
}

/** Numbers of a step by their names in `metrics.jsonl`. */
export interface StepMetrics {
  /** Of the weights, so far. */
  readonly updates: number
  readonly [name: string]: number | undefined
}

/** A row of `metrics.jsonl`: the numbers of a step, what is to be said of it, and what a watch has raised. */
export type Row = Readonly<{ step: number; warning?: string; alarm?: string } & Record<string, unknown>>

/** An algorithm as the loop sees it. */
export interface Trainer {
  /** Steps done so far, of `total`. */
  readonly done: number
  readonly total: number
  /** What is trained, and the model that it makes. */
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly policy: GenerativeModel
  /** What a reader of the finished run has to know beside its metrics. */
  readonly results?: Readonly<Record<string, unknown>>
  /** Whether it would go on from where it is, as far as its last step tells; it would without this. */
  readonly isSound?: boolean
  /** One step; returns its row of `metrics.jsonl`. */
  step(): StepMetrics
  state(): TrainingState
  load(state: TrainingState): void
  /** Settings with which a training that diverged may go well; nothing where the training is not to blame. */
  lowerRates(where: string): Readonly<Record<string, number>> | undefined
}

/** What was seen of the policy after a step. */
export interface Looked {
  /** For the row of the step. */
  readonly metrics: Readonly<Record<string, number>>
  /** What is wrong with the policy; told on stderr too where it `isNews`. */
  readonly alarm?: string
  readonly isNews: boolean
}

/** Looks at the policy while it is trained, and may end the training. All processes of a group call it alike. */
export interface Watch {
  /** After a step, and before the first one, as step 0; nothing where it is no time for a look. */
  look(step: number): Looked | undefined
  /** Whether the training comes to its end before its last step. */
  readonly isOver: boolean
  /** Then: gives the trained parameters the values that they had at an earlier look. @returns its step */
  restore(): number
  /** All that changes; a part of every checkpoint. */
  state(): TrainingState
  load(state: TrainingState): void
}

export interface TrainingLoop {
  readonly label: string
  /** The command: `policy dpok`. */
  readonly stage: string
  /** SHA-256 of all that the run depends on beside its settings, by what a reader calls it. */
  readonly inputs: Readonly<Record<string, string>>
  readonly checkpointEvery: number
  readonly checkpointsKept: number
  /** What stands at the end of the progress line. */
  readonly note: (metrics: Partial<StepMetrics>) => string
  /** What is to be said of the last of these rows, which have all steps so far. */
  readonly warningOf: (rows: readonly Row[]) => string | undefined
  readonly sampleEvery: number
  /** Draws sample images; returns what was measured on them. */
  readonly sample: (step: number) => Promise<Readonly<Record<string, number>>>
  /** The processes that train as one, of which the first one writes; this one alone without it. */
  readonly group?: Group
  readonly watch?: Watch
}

export interface Trained {
  /** Of the last step; of a training that a watch has ended, those of the step whose parameters were restored. */
  readonly metrics: StepMetrics
  /** What the whole training took: images drawn and updates up to the last step. */
  readonly cost: Pick<StepMetrics, 'images_drawn' | 'updates'>
  /** That all processes of this run have trained. */
  readonly seconds: number
  /** What a reader of the results has to know. */
  readonly notes: Readonly<Record<string, unknown>>
}

/** What the loop adds to the numbers of a trainer's state. */
const LoopNumbers = z.object({
  seconds: z.number().nonnegative(),
  inputs: z.record(z.string(), z.string()),
  growth: z.number().nonnegative(),
  watch: z.record(z.string(), z.unknown()).optional(),
})
/** Of the tensors of a watch in a checkpoint. */
const watchPrefix = 'watch'

/**
 * Steps a trainer to its end, from the checkpoint of the run where there is one.
 *
 * @throws {FormatError} the checkpoint is damaged, or of another run
 * @throws {RunInUseError} what the run depends on has changed since
 * @throws {DivergenceError} names the step and the last good checkpoint, and how to go on from there
 * @throws {StoppedError} a process of the group was asked to end; there is a checkpoint of the last step that was done
 */
export async function trainToEnd(run: Run, trainer: Trainer, loop: TrainingLoop): Promise<Trained> {
  run.dependsOn(loop.inputs)
  const { group = alone, watch } = loop
  const isOver = () => watch?.isOver === true
  const isWriter = group.rank === 0
  const checkpoints = new Checkpoints(run.path(checkpointName), loop.checkpointsKept)
  const sampleNow = run.path(sampleNowName)
  const proportion = Math.max(1, ...largestValues([...trainer.parameters.values()]))
  const growth = () => Math.max(...largestValues([...trainer.parameters.values()])) / proportion
  let earlier = 0
  const state = checkpoints.read((warning) => {
    if (isWriter) process.stderr.write(`warning: ${warning}\n`)
  })
  if (state !== undefined) {
    const numbers = numbersOf(run.path(checkpointName), LoopNumbers, state)
    expectSameInputs(run.folder, numbers.inputs, loop.inputs)
    trainer.load(state)
    if (numbers.watch) watch?.load({ tensors: below(watchPrefix, state.tensors), numbers: numbers.watch })
    earlier = numbers.seconds
  }
  expectSameEverywhere(group, { ...loop.inputs, checkpoint: `of step ${trainer.done}` })
  run.adopt(trainer.done)
  // Without a checkpoint the run begins anew, its first samples too.
  run.rewind(state === undefined ? -1 : trainer.done)
  const rows = isWriter ? readRows(join(run.folder, metricsName)) : []
  const began = performance.now()
  const seconds = () => earlier + (performance.now() - began) / 1000
  const write = (row: Row) => {
    run.metrics(row)
    rows.push(row)
  }
  let keptAt = seconds()
  let writeSeconds = 0
  const keep = () => {
    if (!isWriter) return
    const from = seconds()
    const { tensors, numbers } = stateOf(trainer, watch)
    const grown = growth()
    const own = { seconds: seconds(), inputs: loop.inputs, growth: grown }
    run.sync()
    const isSound = isSoundGrowth(grown) && trainer.isSound !== false
    checkpoints.write(trainer.done, { tensors, numbers: { ...numbers, ...own } }, isSound)
    run.keep()
    keptAt = seconds()
    writeSeconds = keptAt - from
  }
  const bar = progress(loop.label, trainer.total, 'steps')
  bar.skip(trainer.done)
  using _end = holdEnd()
  /** Says what was seen where it is new. @returns what the row of the step has of it */
  const told = (step: number, looked: Looked | undefined) => {
    if (looked?.alarm === undefined) return { ...looked?.metrics }
    if (isWriter && looked.isNews) process.stderr.write(`warning: ${loop.label} step ${step}: ${looked.alarm}\n`)
    return { ...looked.metrics, alarm: looked.alarm }
  }
  if (trainer.done === 0) {
    const sampled = isWriter && loop.sampleEvery > 0 ? await loop.sample(0) : {}
    const row = { ...sampled, ...told(0, watch?.look(0)) }
    if (isWriter && Object.keys(row).length > 0) write({ step: 0, ...row })
  }
  if (isEndAsked(group)) throw stopped(run.folder, `SIGTERM after step ${trainer.done} of ${trainer.total}`)
  while (trainer.done < trainer.total && !isOver()) {
    const step = trainer.done + 1
    const isLast = step === trainer.total
    const isAsked = isWriter && existsSync(sampleNow)
    const isSampled = isWriter && (isAsked || (loop.sampleEvery > 0 && (isLast || step % loop.sampleEvery === 0)))
    let metrics: StepMetrics
    let isKept: boolean
    let isEnding: boolean
    let looked: Looked | undefined
    try {
      metrics = trainer.step()
      expectInProportion(growth())
      looked = watch?.look(step)
      const isDone = isLast || isOver()
      isEnding = isEndAsked(group) && !isDone
      isKept = isEnding || isDone || step % loop.checkpointEvery === 0 || isOverdue(seconds() - keptAt, writeSeconds)
      if (isKept) expectPrediction(trainer.policy)
      if (isSampled) metrics = { ...metrics, ...(await loop.sample(step)) }
      expectFiniteNumbers('metrics', metrics)
    } catch (error) {
      throw asDivergence(error, { step, checkpoints, isWriter, stage: loop.stage, folder: run.folder, trainer })
    }
    if (isAsked) rmSync(sampleNow, { force: true })
    const warning = loop.warningOf([...rows, { step, ...metrics }])
    if (isWriter && warning !== undefined && rows.at(-1)?.warning === undefined) {
      process.stderr.write(`warning: ${loop.label} step ${step}: ${warning}\n`)
    }
    write({ step, ...metrics, ...told(step, looked), ...(warning !== undefined && { warning }) })
    bar.advance(1, loop.note(metrics))
    if (isKept) keep()
    if (isEnding) {
      // Who starts the processes ends all of them soon after one: none is ahead of the one that writes.
      group.barrier()
      throw stopped(run.folder, `SIGTERM after step ${step} of ${trainer.total}`)
    }
  }
  const last = numbersOfRow(rows.at(-1))
  bar.done(loop.note(last))
  const { images_drawn, updates } = last
  const restored = isOver() ? watch?.restore() : undefined
  return {
    metrics: restored === undefined ? last : numbersOfRow(rows.find(({ step }) => step === restored)),
    cost: { images_drawn, updates },
    seconds: seconds(),
    notes: {
      ...warningsOf(rows),
      ...(restored !== undefined && { stoppedAtStep: rows.at(-1)?.step, policyOfStep: restored }),
      ...run.changes(),
    },
  }
}

/** The numbers of a step. */
function numbersOfRow(row: Row | undefined): StepMetrics {
  const { step: _step, at: _at, warning: _warning, alarm: _alarm, ...numbers } = row ?? { step: 0 }
  return { updates: 0, ...numbers }
}

/** What a checkpoint holds of a trainer and of what watches it. */
function stateOf(trainer: Trainer, watch: Watch | undefined): TrainingState {
  const { tensors, numbers } = trainer.state()
  if (watch === undefined) return { tensors, numbers }
  const watching = watch.state()
  return {
    tensors: new Map([...tensors, ...under(watchPrefix, watching.tensors)]),
    numbers: { ...numbers, watch: watching.numbers },
  }
}

/**
 * Whether too much would be lost without a checkpoint: half a minute of work, or where writing one takes long, so much that
 * no more than a twentieth of the time goes into it.
 */
export const isOverdue = (sinceSeconds: number, writeSeconds: number): boolean =>
  sinceSeconds > Math.max(30, 20 * writeSeconds)

/** In the results: the last warning, and at which steps there was one. */
function warningsOf(rows: readonly Row[]): { warning?: string } {
  const warned = rows.filter(({ warning }) => warning !== undefined)
  if (warned.length === 0) return {}
  const [first, last] = [warned[0], warned[warned.length - 1]]
  const steps = warned.length === 1 ? `step ${first.step}` : `${warned.length} steps from ${first.step} to ${last.step}`
  return { warning: `${steps}: ${last.warning}` }
}

function expectSameInputs(folder: string, began: StepInputs, now: StepInputs): void {
  const changed = [...new Set([...Object.keys(began), ...Object.keys(now)])].filter((name) => began[name] !== now[name])
  if (changed.length === 0) return
  const shown = (inputs: StepInputs) =>
    changed.map((name) => `${name} ${inputs[name]?.slice(0, 12) ?? 'none'}`).join(', ')
  throw new RunInUseError({
    where: `${folder} --resume`,
    expected: `the ${changed.join(' and the ')} with which this run began (${shown(began)})`,
    received: `changed ones (${shown(now)})`,
    remedy: 'put back what was changed, or begin again in another folder',
  })
}
type StepInputs = TrainingLoop['inputs']

/**
 * The manifest, and then nothing that only an unfinished run needs: a process that is killed in between leaves a finished
 * run with more files than it needs.
 *
 * @param scratch further files of an unfinished run
 * @throws {DivergenceError} a result is not finite
 */
export function finishTraining(
  run: Run,
  results: Readonly<Record<string, unknown>>,
  scratch: readonly string[] = [],
): Manifest {
  expectFiniteNumbers('results', results)
  const { files } = new Checkpoints(run.path(checkpointName), 1)
  return run.finish(results, [...files.map((file) => basename(file)), sampleNowName, ...scratch])
}

function readRows(file: string): Row[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Row)
}
