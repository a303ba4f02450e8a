/**
 * `demo`: the whole loop on the embedded world, through the same commands that a user types. Stages that do not need
 * each other run side by side, one process a core.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { RunInUseError } from '../errors.ts'
import type { ReportWorld } from '../report/report-command.ts'
import { writePrompts } from '../prompts/prompt-file.ts'
import { reportFiles } from '../report/write-report.ts'
import { writeFileAtomic } from '../run.ts'
import { CommandLanes } from './command-lanes.ts'
import { makeReport, ReportConfig } from '../report/report-command.ts'
import { seenPrompts, unseenPrompts } from './split.ts'

export const DemoConfig = z.strictObject({
  small: z.boolean().default(false).describe('The same code with less of everything, in under three minutes.'),
  seed: z.int().nonnegative().default(0).describe('Seed of everything that the demo draws.'),
  out: z.string().min(1).default('runs/demo').describe('Folder to write; an earlier demo in it is replaced.'),
})
export type DemoConfig = z.infer<typeof DemoConfig>

/** How much of everything. Both fine-tuning arms get the same number of images. */
const sizes = {
  full: { labelledPerPrompt: 32, extraPerPrompt: 90, updates: 1800, report: { imagesPerPrompt: 6, klRollouts: 256 } },
  small: { labelledPerPrompt: 10, extraPerPrompt: 10, updates: 120, report: { imagesPerPrompt: 2, klRollouts: 32 } },
}
const simulatedRater = { errorRate: 0.05, skipRate: 0.05 }
/** How the defaults of both arms were chosen; see recipes/tune.ts. */
const tuningSeed = 90
const selectionRule =
  'the highest mean reward on prompts held out from fine-tuning, among four settings for each of the two whose Fréchet distance to held-out pre-training images, which needs no judge, stays within 1.5 times that of the base model; of rewards within one standard error of the highest, the one with the smallest Fréchet distance'
/** Written into the demo's folder first: only a folder that holds it is ever emptied. */
const marker = 'demo.json'

/** Runs the demo and returns the path of its report. @throws {RunInUseError} the folder holds something else */
export async function runDemo({ small, seed, out }: DemoConfig, world: ReportWorld): Promise<string> {
  const size = small ? sizes.small : sizes.full
  emptyFolder(out)
  const at = (name: string) => join(out, name)
  writeFileAtomic(at(marker), `${JSON.stringify({ small, seed })}\n`)
  const seen = seenPrompts()
  const half = Math.ceil(seen.length / 2)
  await writePrompts(at('seen.jsonl'), seen)
  await writePrompts(at('seen-a.jsonl'), seen.slice(0, half))
  await writePrompts(at('seen-b.jsonl'), seen.slice(half))
  await writePrompts(at('unseen.jsonl'), unseenPrompts())

  using lanes = new CommandLanes(fileURLToPath(new URL('../cli.ts', import.meta.url)), out)
  const draw = (name: string, prompts: string, perPrompt: number, drawSeed: number) =>
    lanes.run(`images-${name}`, [
      'images',
      'generate',
      '--prompts',
      at(prompts),
      '--per-prompt',
      perPrompt,
      '--seed',
      drawSeed,
      '--out',
      at(`images-${name}`),
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
  await lanes.run('reward', [
    'reward',
    'train',
    '--feedback',
    feedback,
    // Nobody is asked again, so nobody needs to know where the reward is unsure.
    '--ensemble',
    0,
    '--seed',
    seed,
    '--out',
    at('reward'),
  ])
  const dpok = lanes.run('dpok', [
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
    '--out',
    at('dpok'),
  ])
  const rewardWeighted = extra.then(() =>
    lanes.run('reward-weighted', [
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
      '--out',
      at('reward-weighted'),
    ]),
  )
  await Promise.all([dpok, rewardWeighted])

  await makeReport(
    ReportConfig.parse({
      reward: at('reward'),
      rewardWeighted: at('reward-weighted'),
      dpok: at('dpok'),
      seen: at('seen.jsonl'),
      unseen: at('unseen.jsonl'),
      seed: 1_000_000 + seed,
      out: at('report'),
      ...size.report,
    }),
    world,
    { tuningSeed, selectionRule },
  )
  for (const name of reportFiles) copyFileSync(join(at('report'), name), at(name))
  return at('report.html')
}

function emptyFolder(out: string): void {
  if (existsSync(out) && readdirSync(out).length > 0 && !existsSync(join(out, marker))) {
    throw new RunInUseError({
      where: out,
      expected: 'an empty folder or that of an earlier demo',
      received: 'other files',
      remedy: 'choose another --out',
    })
  }
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
}
