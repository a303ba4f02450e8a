/**
 * Time and memory of an iteration of DPOK on the CPU, against two loops in Python on the same release of libtorch:
 * `node_modules/.bin/node bench/dpok/compare.ts --python <a Python with torch, diffusers, transformers and peft>
 * [--sizes stable-diffusion,embedded] [--threads 1,2] [--rounds 3]`.
 *
 * All sides begin with the same parameters, draw from the same noise and train on the same transitions; after each
 * iteration their rewards, losses and gradients must agree. They live at once and take turns, so that a busy machine slows
 * all of them. The first iteration of each is not counted.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { DdimSampler } from '../../src/diffusion/ddim.ts'
import { policyOf } from '../../src/networks/generative-model.ts'
import { drawMinibatches } from '../../src/policy/policy-gradient/transitions.ts'
import { random, seedOf } from '../../src/random.ts'
import { policyStreams } from '../../src/streams.ts'
import { tokenize } from '../../src/shapes/vocabulary.ts'
import { describeLibrary } from '../../src/tensor/library.ts'
import { writeSafetensors } from '../../src/tensor/safetensors.ts'
import { median, side } from '../side.ts'
import { ownWeights, training, type Size } from './training.ts'

const compared = ['reward_mean', 'policy_loss', 'kl', 'grad_norm'] as const
type Metrics = Readonly<Record<(typeof compared)[number], number>>

interface Answer {
  version: string
  seconds: number
  cpuSeconds: number
  megabytes: number
  metrics: Metrics
}

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.ATTUNE_BENCH_PYTHON ?? 'python3' },
    sizes: { type: 'string', default: 'stable-diffusion,embedded' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '3' },
  },
})
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-bench-'))

/** What the Python loops need to know of a training, beside the weights in `folder`. */
function setUp(size: Size) {
  const { model, texts, sampler, guidance, trainable, settings } = training(size, folder, { value: false })
  const start = join(folder, `start-${size}.safetensors`)
  writeSafetensors(start, trainable.parameters)
  const { learningRate, batchSize, klWeight, clipRange, maxGradNorm } = settings
  return {
    folder: size === 'embedded' ? ownWeights : folder,
    start,
    ...(size === 'embedded' && { tokens: Object.fromEntries(['', ...texts].map((text) => [text, tokenize(text)])) }),
    stateShape: policyOf(model).stateShape,
    predictionType: policyOf(model).process.predictionType,
    steps: (sampler as DdimSampler).steps,
    ...{ guidance, learningRate, batchSize, klWeight, clipRange, maxGradNorm },
  }
}

/** What `Dpok` draws in an iteration: prompts, the seed of each roll-out's noise, and transitions of each update. */
function planOf(size: Size, iteration: number): string {
  const { texts, sampler, seed, settings, iterations } = training(size, folder, { value: false })
  const { rolloutsPerIteration: count, transitionsPerRollout, gradientSteps, learningRate } = settings
  const stream = random(...policyStreams.choices(seed, iteration))
  const rounds = Array.from({ length: Math.ceil(count / texts.length) }, () => stream.shuffle(texts))
  const steps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
  const drawn = rounds.flat().slice(0, count)
  const minibatches = drawMinibatches({ texts: drawn }, steps, {
    perRollout: transitionsPerRollout,
    updates: gradientSteps,
    stream,
  })
  return JSON.stringify({
    texts: drawn,
    seeds: Array.from({ length: count }, (_, i) => seedOf(...policyStreams.rollout(seed, iteration, i))),
    minibatches: minibatches.map((places) => places.map(({ rollout, step }) => [rollout, step])),
    lr: learningRate! * (1 - iteration / iterations),
  })
}

function expectEqual(size: Size, who: string, metrics: Metrics, expected: Metrics): void {
  for (const name of compared) {
    const apart = Math.abs(metrics[name] - expected[name]) / Math.max(1e-3, Math.abs(expected[name]))
    assert.ok(apart < 2e-3, `${size}, ${who}: ${name} ${metrics[name]}, and ${expected[name]} by Attune`)
  }
}

const rows: string[] = []
let versions = ''
async function measure(size: Size, threads: number): Promise<void> {
  const setup = JSON.stringify(setUp(size))
  const ours = (value: string) => [process.execPath, file('attune.ts'), size, value, String(threads), folder]
  const theirs = (manner: string) => [values.python, file('loops.py'), size, manner, String(threads), setup]
  const kinds = [
    { title: 'Attune', words: ours('plain') },
    { title: 'Attune, value learning', words: ours('value') },
    { title: 'PyTorch, plain', words: theirs('plain') },
    { title: 'PyTorch, in the public code’s manner', words: theirs('public') },
  ]
  const sides = kinds.map(({ words: [command, ...words] }) => side<Answer>(command, words, { threads, show: true }))
  const next = async (i: number) => {
    const answer = await sides[i].answer()
    assert.ok(answer !== undefined, `${kinds[i].title} ended`)
    return answer
  }
  const started: string[] = []
  for (const i of kinds.keys()) started.push((await next(i)).version)
  versions = [started[0], started[2]].join('; ')

  const taken = kinds.map((): Answer[] => [])
  for (let round = 0; round <= Number(values.rounds); round++) {
    const plan = planOf(size, round)
    const order = [...kinds.keys()]
    const answers: Answer[] = []
    for (const i of round % 2 === 0 ? order : order.reverse()) {
      sides[i].ask(plan)
      answers[i] = await next(i)
      if (round > 0) taken[i].push(answers[i])
    }
    for (const i of [2, 3]) expectEqual(size, kinds[i].title, answers[i].metrics, answers[0].metrics)
  }
  for (const each of sides) each.end()

  const plain = taken[2]
  kinds.forEach(({ title }, i) => {
    const ratio = (of: 'seconds' | 'cpuSeconds', to: Answer[]) => {
      const all = taken[i].map((answer, round) => answer[of] / to[round][of]).sort((a, b) => a - b)
      return `${median(all).toFixed(2)} (${all[0].toFixed(2)}–${all[all.length - 1].toFixed(2)})`
    }
    const peak = (of: Answer[]) => Math.max(...of.map(({ megabytes }) => megabytes))
    const cells = [
      `${size}, ${threads} thread${threads === 1 ? '' : 's'}: ${title}`,
      `${median(taken[i].map(({ seconds }) => seconds)).toFixed(2)} s`,
      `${median(taken[i].map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s`,
      ratio('seconds', plain),
      ratio('cpuSeconds', plain),
      ratio('cpuSeconds', taken[3]),
      `${peak(taken[i]).toFixed(0)} MB`,
      (peak(taken[i]) / peak(plain)).toFixed(2),
    ]
    rows.push(`| ${cells.join(' | ')} |`)
    console.error(rows[rows.length - 1])
  })
}

try {
  if (values.sizes.includes('stable-diffusion')) {
    const made = spawnSync(values.python, [file('checkpoint.py'), folder], { stdio: ['ignore', 'ignore', 'inherit'] })
    assert.equal(made.status, 0, 'checkpoint.py failed')
  }
  for (const size of values.sizes.split(',') as Size[]) {
    for (const threads of values.threads.split(',').map(Number)) await measure(size, threads)
  }
} finally {
  rmSync(folder, { recursive: true })
}
const { version, cpu } = describeLibrary()
console.log(`${cpus()[0].model}, ${cpu}; libtorch ${version}; ${versions}\n`)
console.log(
  '| | wall | processor | wall ÷ plain | processor ÷ plain | processor ÷ public | peak memory | memory ÷ plain |',
)
console.log(`|---|---|---|---|---|---|---|---|\n${rows.join('\n')}`)
