/**
 * A training run that can be killed at any time and continued: all changing state goes into one checkpoint file, and the
 * rows of `metrics.jsonl` behind it are cut off on resuming, so the result is that of an uninterrupted run.
 */
import { existsSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { progress } from '../progress.ts'
import { resumeField, startRun, type Manifest, type Run, type RunOptions } from '../run.ts'
import { readTrainingState, writeTrainingState, type TrainingState } from '../tensor/training-state.ts'

export const checkpointName = 'checkpoint.safetensors'
/** While a file of this name is in the run folder, the next step draws sample images and removes it. */
export const sampleNowName = 'sample-now'

export const trainingRunFields = {
  policy: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Run whose policy is trained further; the pre-trained model without it, which stays the reference.'),
  seed: z.int().nonnegative().default(0).describe('Seed of everything that is random.'),
  checkpointEvery: z.int().positive().default(20).describe('Steps between checkpoints.'),
  sampleEvery: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Steps between sample images of the policy, the start and the end included; 0 draws none.'),
  samples: z.int().positive().default(8).describe('Sample images at a time, one of each prompt.'),
  scorer: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Reward that measures the sample images, as a curve: nothing chooses by it.'),
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write.'),
}

/**
 * Does a stage's work in a run folder that stays for `--resume` once it has a checkpoint; before that, a failure leaves
 * nothing behind.
 */
export async function inTrainingRun(options: RunOptions, work: (run: Run) => Promise<Manifest>): Promise<Manifest> {
  using run = startRun(options)
  return await work(run)
}

/** An algorithm as the loop sees it. */
export interface Trainer {
  /** Steps done so far, of `total`. */
  readonly done: number
  readonly total: number
  /** One step; returns its row of `metrics.jsonl`. */
  step(): Readonly<Record<string, number>>
  state(): TrainingState
  load(state: TrainingState): void
}

export interface TrainingLoop {
  readonly label: string
  readonly checkpointEvery: number
  /** What stands at the end of the progress line. */
  readonly note: (metrics: Readonly<Record<string, number>>) => string
  readonly sampleEvery: number
  /** Draws sample images; returns what was measured on them. */
  readonly sample: (step: number) => Promise<Readonly<Record<string, number>>>
}

/**
 * Steps a trainer to its end, from the checkpoint of the run where there is one.
 *
 * @returns the last row of metrics, and the seconds that all processes of this run have trained
 */
export async function trainToEnd(
  run: Run,
  trainer: Trainer,
  loop: TrainingLoop,
): Promise<{ metrics: Readonly<Record<string, number>>; seconds: number }> {
  const checkpoint = run.path(checkpointName)
  const sampleNow = run.path(sampleNowName)
  let earlier = 0
  if (existsSync(checkpoint)) {
    const state = readTrainingState(checkpoint)
    trainer.load(state)
    earlier = state.numbers.seconds as number
  }
  // Without a checkpoint the run begins anew, its first samples too.
  let metrics = run.rewind(trainer.done === 0 ? -1 : trainer.done) as Readonly<Record<string, number>>
  const began = performance.now()
  const seconds = () => earlier + (performance.now() - began) / 1000
  const bar = progress(loop.label, trainer.total, 'steps')
  bar.skip(trainer.done)
  if (trainer.done === 0 && loop.sampleEvery > 0) {
    const measured = await loop.sample(0)
    if (Object.keys(measured).length > 0) run.metrics({ step: 0, ...measured })
  }
  while (trainer.done < trainer.total) {
    metrics = trainer.step()
    const { done, total } = trainer
    const isAsked = existsSync(sampleNow)
    const isDue = loop.sampleEvery > 0 && (done % loop.sampleEvery === 0 || done === total)
    const measured = isAsked || isDue ? await loop.sample(done) : {}
    if (isAsked) rmSync(sampleNow, { force: true })
    metrics = { ...metrics, ...measured }
    run.metrics({ step: done, ...metrics })
    bar.advance(1, loop.note(metrics))
    if (trainer.done % loop.checkpointEvery === 0 && trainer.done < trainer.total) {
      const { tensors, numbers } = trainer.state()
      run.sync()
      writeTrainingState(checkpoint, { tensors, numbers: { ...numbers, seconds: seconds() } })
      run.keep()
    }
  }
  run.keep()
  bar.done(loop.note(metrics))
  return { metrics, seconds: seconds() }
}

/** A finished run needs no checkpoint. */
export function finishTraining(run: Run, results: Readonly<Record<string, unknown>>): Manifest {
  for (const name of [checkpointName, sampleNowName]) rmSync(run.path(name), { force: true })
  return run.finish(results)
}
