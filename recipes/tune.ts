/**
 * Chooses the coefficients of both fine-tuning arms by one written rule, with as many candidates and images for each:
 *
 *   the highest mean reward on held-out prompts, among the candidates whose Fréchet distance to held-out pre-training
 *   images stays within 1.5 × that of the pre-trained model; rewards less than one standard error below the highest count
 *   as equal to it, and of equals the one with the smallest Fréchet distance is taken.
 *
 * Neither number needs the judge. A fifth of the seen prompts is held out from fine-tuning; seed 90 is used here and
 * nowhere else. Run: node_modules/.bin/node recipes/tune.ts [folder]
 */
import { spawnSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { mean, sampleStandardDeviation } from 'simple-statistics'
import { z } from 'zod'
import { drawImages } from '../src/images/draw.ts'
import { modelFields } from '../src/images/open-model.ts'
import { open } from '../src/open.ts'
import { openChange } from '../src/policy/policy-file.ts'
import { writePrompts } from '../src/prompts/prompt-file.ts'
import { featuresOf } from '../src/report/evaluate.ts'
import { frechetDistance } from '../src/report/frechet.ts'
import { openReward, scorePictures } from '../src/reward/open-reward.ts'
import { openShapes } from '../src/shapes/open.ts'
import { drawBatch } from '../src/shapes/pretraining-data.ts'
import { seenPrompts } from '../src/shapes/split.ts'
import { openShapesJudge } from '../src/shapes/world-judge.ts'
import { policyOf } from '../src/networks/generative-model.ts'
import { shapesStreams } from '../src/streams.ts'
import { useThreads } from '../src/tensor/library.ts'
import { tensorScope } from '../src/tensor/scope.ts'

const seed = 90
const folder = process.argv[2] ?? 'runs/tune'
const labelledPerPrompt = 32
const imagesPerArm = 2400

const candidates: Record<'dpok' | 'reward-weighted', Record<string, number>[]> = {
  dpok: [
    { klWeight: 0.001, learningRate: 3e-3 },
    { klWeight: 0.003, learningRate: 3e-3 },
    { klWeight: 0.01, learningRate: 3e-3 },
    { klWeight: 0.003, learningRate: 5e-3 },
  ],
  'reward-weighted': [
    { pretrainingWeight: 0.5, learningRate: 3e-4 },
    { pretrainingWeight: 0.5, learningRate: 1.5e-3 },
    { pretrainingWeight: 0.1, learningRate: 1.5e-3 },
    { pretrainingWeight: 0, learningRate: 1.5e-3 },
  ],
}

const at = (name: string) => join(folder, name)
const flags = (settings: Record<string, number>) =>
  Object.entries(settings).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ])
const attune = (...words: (string | number)[]) => ['src/cli.ts', ...words.map(String)]

function runNow(...words: (string | number)[]): void {
  const { status } = spawnSync(process.execPath, attune(...words), { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs commands two at a time. */
async function runAll(commands: (string | number)[][]): Promise<void> {
  const left = [...commands]
  const lane = async () => {
    for (let words = left.shift(); words !== undefined; words = left.shift()) {
      const child = spawn(process.execPath, attune(...words), { stdio: ['ignore', 'ignore', 'inherit'] })
      const code = await new Promise((resolve) => child.on('exit', resolve))
      if (code !== 0) process.exit(1)
    }
  }
  await Promise.all([lane(), lane()])
}

// 1. The data of one demo on the tuning seed.
mkdirSync(folder, { recursive: true })
const prompts = seenPrompts()
const trained = prompts.filter((_, i) => i % 5 !== 0)
const heldOut = prompts.filter((_, i) => i % 5 === 0)
await writePrompts(at('seen.jsonl'), prompts)
await writePrompts(at('trained.jsonl'), trained)
await runAll([
  [
    'images',
    'generate',
    '--prompts',
    at('seen.jsonl'),
    '--per-prompt',
    labelledPerPrompt,
    '--seed',
    seed,
    '--out',
    at('labelled'),
  ],
  [
    'images',
    'generate',
    '--prompts',
    at('trained.jsonl'),
    '--per-prompt',
    Math.round(imagesPerArm / trained.length),
    '--seed',
    seed + 1,
    '--out',
    at('extra'),
  ],
])
runNow('feedback', 'simulate', '--images', at('labelled'), '--feedback', at('feedback.sqlite'), '--seed', seed)
runNow('reward', 'train', '--feedback', at('feedback.sqlite'), '--seed', seed, '--out', at('reward'))

// 2. Every candidate of both arms.
await runAll([
  ...candidates.dpok.map((settings, i) => [
    'policy',
    'dpok',
    '--prompts',
    at('trained.jsonl'),
    '--reward',
    at('reward'),
    '--images-drawn',
    imagesPerArm,
    '--seed',
    seed,
    ...flags(settings),
    '--out',
    at(`dpok-${i}`),
  ]),
  ...candidates['reward-weighted'].map((settings, i) => [
    'policy',
    'reward-weighted',
    '--images',
    at('extra'),
    '--updates',
    300,
    '--reward',
    at('reward'),
    '--seed',
    seed,
    ...flags(settings),
    '--out',
    at(`reward-weighted-${i}`),
  ]),
])

// 3. The rule.
useThreads(1)
const { model } = openShapes()
const { features } = openShapesJudge()
const reward = await openReward(at('reward'), z.object(modelFields).parse({}), open)
const { sampling } = policyOf(model)
const real = featuresOf(features, drawBatch(shapesStreams.heldOutScene, 10_000, 1024).pictures)

function measure(policy: typeof model): { reward: number; error: number; frechet: number } {
  using _scope = tensorScope()
  const requests = heldOut.flatMap(({ text }, i) =>
    Array.from({ length: 24 }, (_, k) => ({ text, seed: seed + 2, index: i * 24 + k })),
  )
  const rewards = scorePictures(
    reward,
    drawImages(policy, requests, sampling),
    requests.map(({ text }) => text),
  )
  // Pre-training captions of held-out images ask for what those images show.
  const captions = drawBatch(shapesStreams.heldOutScene, 10_000, 1024).captions
  const drawn = drawImages(
    policy,
    captions.map((text, index) => ({ text, seed: seed + 3, index })),
    sampling,
  )
  return {
    reward: mean(rewards),
    error: sampleStandardDeviation(rewards) / Math.sqrt(rewards.length),
    frechet: frechetDistance(featuresOf(features, drawn), real),
  }
}

const base = measure(model)
console.log('| arm | settings | held-out reward | Fréchet | ratio to base | |\n|---|---|---|---|---|---|')
console.log(`| base | | ${base.reward.toFixed(3)} | ${base.frechet.toFixed(1)} | 1.00 | |`)
for (const [arm, all] of Object.entries(candidates)) {
  const rows = all.map((settings, i) => ({
    settings,
    ...measure(model.with(openChange(model, at(`${arm}-${i}`)).change)),
  }))
  const allowed = rows.filter((row) => row.frechet <= 1.5 * base.frechet)
  const highest = allowed.reduce((best, row) => (row.reward > best.reward ? row : best))
  const chosen = allowed
    .filter((row) => row.reward >= highest.reward - highest.error)
    .sort((a, b) => a.frechet - b.frechet)[0]
  for (const row of rows) {
    const words = Object.entries(row.settings).map(([name, value]) => `${name} ${value}`)
    console.log(
      `| ${arm} | ${words.join(', ')} | ${row.reward.toFixed(3)} | ${row.frechet.toFixed(1)} | ${(row.frechet / base.frechet).toFixed(2)} | ${row === chosen ? 'chosen' : ''} |`,
    )
  }
}
