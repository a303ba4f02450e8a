/**
 * `demo`: the whole loop on the embedded world, through the same commands that a user types. Stages that do not need
 * each other run side by side, one process a core.
 */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ReportWorld } from '../report/make-report.ts'
import { writePrompts } from '../prompts/prompt-file.ts'
import { reportFiles } from '../report/write-report.ts'
import { reportPageName } from '../run-files.ts'
import { resumeField, startRun } from '../run.ts'
import { scriptBeside } from '../script-beside.ts'
import { CommandLanes } from '../command-lanes.ts'
import { makeReport } from '../report/make-report.ts'
import { ReportConfig } from '../report/report-config.ts'
import { seenPrompts, unseenPrompts } from './split.ts'

/** Of stages, four times as large and some more: those are exact integers as well. */
const mostSeed = 1e15

export const DemoConfig = z.strictObject({
  small: z.boolean().default(false).describe('The same code with less of everything, in under three minutes.'),
  seed: z
    .int()
    .nonnegative()
    .max(mostSeed)
    .default(0)
    .describe('Seed of everything that the demo draws; its stages count on from it.'),
  resume: resumeField,
  out: z.string().min(1).default('runs/demo').describe('Folder to write, a run folder of its own.'),
})
export type DemoConfig = z.infer<typeof DemoConfig>

/** How much of everything. Both fine-tuning arms get the same number of images. */
const sizes = {
  full: { labelledPerPrompt: 32, extraPerPrompt: 90, updates: 1800, report: { imagesPerPrompt: 6, klRollouts: 256 } },
  small: { labelledPerPrompt: 10, extraPerPrompt: 10, updates: 120, report: { imagesPerPrompt: 2, klRollouts: 32 } },
}
const simulatedRater = { errorRate: 0.05, skipRate: 0.05 }
/** How the defaults of both arms were chosen; docs/log.md has the figures. */
const tuningSeed = 90
const selectionRule =
  'the highest mean reward on prompts held out from fine-tuning, among four settings for each of the two whose Fréchet distance to held-out pre-training images, which needs no judge, stays within 1.5 times that of the base model; of rewards within one standard error of the highest, the one with the smallest Fréchet distance'

/**
 * Runs the demo and returns the path of its report. A demo that broke off goes on where its stages stand.
 *
 * @throws {RunInUseError} the folder holds something else, another demo too
 */
export async function runDemo({ small, seed, resume, out }: DemoConfig, world: ReportWorld): Promise<string> {
  const size = small ? sizes.small : sizes.full
  using run = startRun({ folder: out, stage: 'demo', config: { small, seed }, resume })
  run.keep()
  const at = (name: string) => join(out, name)
  const seen = seenPrompts()
  const half = Math.ceil(seen.length / 2)
  await writePrompts(at('seen.jsonl'), seen)
  await writePrompts(at('seen-a.jsonl'), seen.slice(0, half))
  await writePrompts(at('seen-b.jsonl'), seen.slice(half))
  await writePrompts(at('unseen.jsonl'), unseenPrompts())

  using lanes = new CommandLanes(fileURLToPath(scriptBeside(import.meta.url, '../cli')), out)
  /** Runs a stage to its end where an earlier demo has not. */
  const stage = async (name: string, words: readonly (string | number)[]) => {
    if (!existsSync(at(`${name}/manifest.json`))) await lanes.run(name, [...words, '--resume', '--out', at(name)])
  }
  const draw = (name: string, prompts: string, perPrompt: number, drawSeed: number) =>
    stage(`images-${name}`, [
      'images',
      'generate',
      '--prompts',
      at(prompts),
      '--per-prompt',
      perPrompt,
      '--seed',
      drawSeed,
    ])

  // Two halves of the prompts, two processes, two seeds.
  await Promise.all([
    draw('a', 'seen-a.jsonl', size.labelledPerPrompt, 4 * seed + 1),
    draw('b', 'seen-b.jsonl', size.labelledPerPrompt, 4 * seed + 2),
  ])
  const labelled = `${at('images-a')},${at('images-b')}`
  const feedback = at('feedback.sqlite')
  const { errorRate, skipRate } = simulatedRater
  await lanes.run('feedback', [
    'feedback',
    'simulate',
    '--images',
    labelled,
    '--feedback',
    feedback,
    '--error-rate',
    errorRate,
    '--skip-rate',
    skipRate,
    '--seed',
    seed,
  ])

  // More images of the same prompts, which only the reward will score, as many as DPOK draws.
  const extra = draw('extra', 'seen.jsonl', size.extraPerPrompt, 4 * seed + 3)
  await stage('reward', [
    'reward',
    'train',
    '--feedback',
    feedback,
    // Nobody is asked again, so nobody needs to know where the reward is unsure.
    '--ensemble',
    0,
    '--seed',
    seed,
  ])
  const dpok = stage('dpok', [
    'policy',
    'dpok',
    '--prompts',
    at('seen.jsonl'),
    '--reward',
    at('reward'),
    '--images-drawn',
    seen.length * size.extraPerPrompt,
    '--seed',
    seed,
  ])
  const rewardWeighted = extra.then(() =>
    stage('reward-weighted', [
      'policy',
      'reward-weighted',
      '--images',
      `${labelled},${at('images-extra')}`,
      '--reward',
      at('reward'),
      '--updates',
      size.updates,
      '--pretraining-weight',
      0,
      '--seed',
      seed,
    ]),
  )
  await Promise.all([dpok, rewardWeighted])

  if (!existsSync(at('report/manifest.json'))) {
    await makeReport(
      ReportConfig.parse({
        reward: at('reward'),
        policies: [`reward-weighted=${at('reward-weighted')}`, `dpok=${at('dpok')}`],
        seen: at('seen.jsonl'),
        unseen: at('unseen.jsonl'),
        seed: 1_000_000 + seed,
        resume: true,
        out: at('report'),
        ...size.report,
      }),
      world,
      {
        tuningSeed,
        selectionRule,
        ...(small && {
          caveats: ['The goals are those of the whole demo, which trains on about six times as many images.'],
        }),
      },
    )
  }
  for (const name of reportFiles) copyFileSync(join(at('report'), name), at(name))
  run.finish({ report: reportPageName })
  return at(reportPageName)
}
