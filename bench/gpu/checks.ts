/**
 * Runs every stage on a GPU with the tiny checkpoints of the tests, and says what differs from a CPU:
 * `node_modules/.bin/node bench/gpu/checks.ts [--device cuda] [--at-once 6] [--out runs/gpu-checks]`.
 * `--device cpu` shows that the script works. One row a check; exit 1 where one fails.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeTinyImageReward } from '../../src/networks/blip/tiny-image-reward.test-helper.ts'
import { createClient } from '../../src/studio/client.ts'
import { freePort, startProcess } from '../../src/studio/studio-process.test-helper.ts'
import { readSafetensors } from '../../src/tensor/safetensors.ts'
import { tensorScope } from '../../src/tensor/scope.ts'

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    'at-once': { type: 'string', default: '6' },
    out: { type: 'string', default: 'runs/gpu-checks' },
  },
})
const { device } = values
const onGpu = device !== 'cpu'
const folder = values.out
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const fixtures = fileURLToPath(new URL('../../test/fixtures/stable-diffusion', import.meta.url))
const features = fileURLToPath(new URL('../../test/fixtures/features', import.meta.url))
const at = (...names: string[]) => join(folder, ...names)

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(at('prompts.txt'), 'a red square\na blue circle\nthree green triangles\na cat on a mat\n')

let running = 0
let failed = 0
const waiting: (() => void)[] = []

/** One process of the command line, with at most so many beside it. */
async function attune(words: readonly string[], untilFile?: string): Promise<string> {
  if (running >= Number(values['at-once'])) await new Promise<void>((go) => waiting.push(go))
  running++
  try {
    return await new Promise((done, refuse) => {
      const child = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      child.stdout.on('data', (text) => (said += text))
      child.stderr.on('data', (text) => (said += text))
      if (untilFile !== undefined) void killAt(untilFile, () => child.kill('SIGKILL'), child)
      child.on('close', (code) =>
        code === 0 || untilFile !== undefined
          ? done(said)
          : refuse(new Error(said.trim().split('\n').slice(-8).join('<br>'))),
      )
    })
  } finally {
    running--
    waiting.shift()?.()
  }
}

async function killAt(file: string, kill: () => void, child: { exitCode: number | null }): Promise<void> {
  while (!existsSync(file) && child.exitCode === null) await wait(20)
  kill()
}

async function check(name: string, run: () => Promise<string>): Promise<void> {
  const began = Date.now()
  let result
  try {
    result = await run()
  } catch (error) {
    failed++
    result = `FAILED: ${(error as Error).message}`
  }
  console.log(`| ${name} | ${result} | ${((Date.now() - began) / 1000).toFixed(1)} |`)
}

const placed = (model: string, precision: string, where = device) => [
  ...['--model', join(fixtures, model), '--device', where, '--threads', '1'],
  ...['--mixed-precision', where === 'cpu' && precision === 'fp16' ? 'no' : precision],
]

/** Largest absolute difference and its share of the largest number, over all tensors of two files. */
function difference(a: string, b: string): { absolute: number; relative: number } {
  using _scope = tensorScope()
  const [left, right] = [readSafetensors(a), readSafetensors(b)]
  let [absolute, largest] = [0, 0]
  for (const [name, tensor] of left.tensors) {
    const other = right.tensors.get(name)
    if (other === undefined) throw new Error(`${b} has no ${name}`)
    absolute = Math.max(absolute, tensor.to('float32').sub(other.to('float32')).abs().flatten().amax(0).item())
    largest = Math.max(largest, tensor.to('float32').abs().flatten().amax(0).item())
  }
  return { absolute, relative: absolute / largest }
}

/** The adapters of two trainings. */
function compared(one: string, other: string): string {
  const file = 'pytorch_lora_weights.safetensors'
  const { absolute, relative } = difference(at(one, file), at(other, file))
  return absolute === 0 ? 'equal to the bit' : `adapters differ by ${relative.toExponential(1)} of the largest`
}

const rows = (run: string) =>
  readFileSync(at(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly at: string } & Readonly<Record<string, number>>)

async function latentsAgree(model: string): Promise<string> {
  const draw = async (side: string, where: string) => {
    const out = at(`latents-${model}-${side}`)
    const words = ['--per-prompt', '2', '--steps', '10', '--batch-size', '4', '--output-latents', '--out', out]
    await attune(['images', 'generate', '--prompts', at('prompts.txt'), ...placed(model, 'no', where), ...words])
    return join(out, 'latents.safetensors')
  }
  const [here, there] = await Promise.all([draw('first', 'cpu'), draw('second', device)])
  const { absolute, relative } = difference(here, there)
  if (!(relative < 1e-2)) throw new Error(`latents differ by ${absolute.toExponential(1)}`)
  return `largest difference ${absolute.toExponential(1)}, ${relative.toExponential(1)} of the largest`
}

function dpok(model: string, precision: string, out: string, more: readonly string[] = []): string[] {
  return [
    ...['policy', 'dpok', '--prompts', at('prompts.txt'), '--reward', at('reward'), ...placed(model, precision)],
    ...['--images-drawn', '24', '--rollouts-per-iteration', '8', '--gradient-steps', '2', '--steps', '6'],
    ...['--transitions-per-rollout', '3', '--batch-size', '4', '--checkpoint-every', '1', ...more, '--out', at(out)],
  ]
}

/** Draws images in a studio on the device, and asks for its figures while the job is at work. */
async function watchStudio(): Promise<string> {
  const port = await freePort()
  const place = ['--workspace', at('studio'), '--port', String(port), '--model', join(fixtures, 'sd1')]
  const server = await startProcess(...place)
  try {
    const client = createClient(`http://127.0.0.1:${port}`, { rater: () => 'Ada' })
    const settings = { prompts: ['a red square', 'a blue circle'], perPrompt: 8, steps: 50 }
    const { id } = await client.startJob({ stage: 'images generate', settings })
    let seen = ''
    for (;;) {
      const job = await client.job(id)
      if (job.state === 'running') {
        const { devices } = await client.devices()
        const { name, busy, memory } = devices.find((one) => one.jobs.includes(id)) ?? devices[0]
        seen = `${job.devices.join()}: ${name}, busy ${busy ?? '?'}, ${memory === null ? '?' : Math.round(memory.usedBytes / 1e6)} MB used; job ${job.load?.cores.toFixed(1) ?? '?'} cores`
      } else if (job.state !== 'waiting') {
        if (job.state !== 'done') throw new Error(`${job.state}: ${job.error}`)
        return seen
      }
      await wait(300)
    }
  } finally {
    await server.end('SIGTERM')
  }
}

console.log(`| check on ${device} | result | s |\n|---|---|---|`)
await Promise.all(
  ['sd1', 'sd2', 'sdxl'].map((model) => check(`latents of ${model}, cpu and ${device}`, () => latentsAgree(model))),
)

const base = placed('sd1', onGpu ? 'bf16' : 'no')
await check('images generate', async () => {
  const words = ['--per-prompt', '4', '--steps', '4', ...base, '--out', at('images')]
  await attune(['images', 'generate', '--prompts', at('prompts.txt'), ...words])
  const drawn = readFileSync(at('images', 'images.jsonl'), 'utf8').trim().split('\n')
  const ids = drawn.map((row) => (JSON.parse(row) as { id: string }).id)
  const answers = ids.map(
    (id, i) => `${id},${i % 2 ? 'good' : 'bad'},\n${i % 2 ? `${ids[i - 1]} ${id},second,pair\n` : ''}`,
  )
  writeFileSync(at('labels.csv'), `image,answer,kind\n${answers.join('')}`)
  const store = ['--feedback', at('feedback.sqlite'), '--images', at('images'), '--labels', at('labels.csv')]
  await attune(['feedback', 'import', ...store])
  return `${drawn.length} images`
})
const imagesAndReward = ['--images', at('images'), '--reward', at('reward')]
await check('reward train', async () => {
  const words = ['--encoder', join(fixtures, 'clip'), '--epochs', '3', '--ensemble', '2', '--held-out', '0.25']
  await attune(['reward', 'train', '--feedback', at('feedback.sqlite'), ...words, ...base, '--out', at('reward')])
  return 'done'
})

const drawing = ['--prompts', at('prompts.txt'), '--images-drawn', '32', '--steps', '6', '--batch-size', '4']
const inGroups = [...drawing, '--rollouts-per-iteration', '16', '--group-size', '4', '--gradient-steps', '2']
const withReward = ['--reward', at('reward')]
const methods: readonly (readonly [method: string, title: string, words: readonly string[]])[] = [
  ['grpo', '', [...inGroups, ...withReward, '--ema-decay', '0.5']],
  ['grpo', ', window', [...inGroups, ...withReward, '--window', '2', '--gradient-checkpointing']],
  ['ddpo', '', [...drawing, ...withReward, '--rollouts-per-iteration', '16', '--prompt-memory', '4']],
  ['nft', '', [...inGroups, ...withReward, '--times-per-image', '3', '--ema-decay', '0.5']],
  ['nft', ', ImageReward', [...inGroups, '--reward', at('image-reward'), '--held-out-reward', join(fixtures, 'clip')]],
  ['draft', '', [...drawing, '--reward', join(fixtures, 'clip'), '--images-per-update', '8', '--pretraining-weight', '0', '--held-out-reward', at('reward')]], // prettier-ignore
  ['draft', ', whole networks', [...drawing, '--reward', join(fixtures, 'clip'), '--images-per-update', '8', '--pretraining-weight', '0', '--held-out-reward', at('reward'), '--parameters', 'all', '--gradient-checkpointing']], // prettier-ignore
  ['dpo', '', ['--feedback', at('feedback.sqlite'), '--updates', '6', '--batch-size', '4', '--held-out', '0.5']],
  ['reward-weighted', ', signed rounds', [...withReward, '--images', at('images'), '--images-drawn', '32', '--updates', '4', '--batch-size', '8', '--signed', '--pretraining-weight', '0', '--steps', '6', '--group-size', '4']], // prettier-ignore
]
{
  using _scope = tensorScope()
  writeTinyImageReward(at('image-reward'))
}

const precisions = onGpu ? ['no', 'fp16', 'bf16'] : ['no', 'bf16']
await Promise.all([
  ...precisions.map((precision) =>
    check(`policy dpok, sd1, ${precision}`, async () => {
      await attune(dpok('sd1', precision, `dpok-${precision}`))
      const told = rows(`dpok-${precision}`)
      const [first, last] = [told[0], told.at(-1)!]
      return `first_delta ${Math.max(...told.map((row) => row.first_delta)).toExponential(1)}; kl ${first.kl.toPrecision(2)} → ${last.kl.toPrecision(2)}; clipfrac ${last.clipfrac.toPrecision(2)}; noise ${last.noise_nats.toPrecision(2)} nats`
    }),
  ),
  ...['sd2', 'sdxl'].map((model) =>
    check(`policy dpok, ${model}, ${onGpu ? 'bf16' : 'no'}`, async () => {
      await attune(dpok(model, onGpu ? 'bf16' : 'no', `dpok-${model}`))
      return `first_delta ${rows(`dpok-${model}`)[0].first_delta.toExponential(1)}`
    }),
  ),
  check('policy dpok, killed and resumed', async () => {
    await attune(dpok('sd1', 'no', 'dpok-whole'))
    await attune(dpok('sd1', 'no', 'dpok-killed'), at('dpok-killed', 'checkpoint.safetensors'))
    await attune(dpok('sd1', 'no', 'dpok-killed', ['--resume']))
    return compared('dpok-whole', 'dpok-killed')
  }),
  check('policy dpok twice', async () => {
    await attune(dpok('sd1', 'no', 'dpok-again'))
    await attune(dpok('sd1', 'no', 'dpok-once-more'))
    return compared('dpok-again', 'dpok-once-more')
  }),
  check('policy dpok --deterministic twice', async () => {
    const words = ['--deterministic']
    await attune(dpok('sd1', onGpu ? 'bf16' : 'no', 'dpok-repeated', words))
    await attune(dpok('sd1', onGpu ? 'bf16' : 'no', 'dpok-repeated-again', words))
    return compared('dpok-repeated', 'dpok-repeated-again')
  }),
  ...[
    ['best-of-n', [...imagesAndReward, '--n', '2']],
    ['best-of-n', ['--images', at('images'), '--reward', join(fixtures, 'clip'), '--n', '2']],
    [
      'reward-weighted',
      [
        ...imagesAndReward,
        '--pretraining-weight',
        '0',
        '--updates',
        '4',
        '--batch-size',
        '4',
        '--gradient-checkpointing',
        '--kl-o',
        '0.1',
      ],
    ],
    [
      'reward-weighted',
      [...imagesAndReward, '--pretraining-weight', '0', '--updates', '2', '--batch-size', '4', '--parameters', 'all'],
    ],
    [
      'reward-weighted',
      [...imagesAndReward, '--pretraining-weight', '0', '--updates', '2', '--batch-size', '4', '--parameters', 'text'],
    ],
  ].map(([stage, words], i) =>
    check(`policy ${stage as string} (${i + 1})`, async () => {
      await attune(['policy', stage as string, ...(words as string[]), ...base, '--out', at(`policy-${i + 1}`)])
      return 'done'
    }),
  ),
  ...methods.map(([method, title, words]) =>
    check(`policy ${method}${title}`, async () => {
      const out = `${method}${title}`.replaceAll(/\W+/g, '-')
      await attune(['policy', method, ...words, ...base, '--out', at(out)])
      const told = Object.entries(rows(out).at(-1)!).filter(([name]) =>
        /_loss$|^kl$|^first_delta$|^reward_mean$/.test(name),
      )
      return told.map(([name, value]) => `${name} ${Number(value).toPrecision(2)}`).join('; ')
    }),
  ),
  ...[
    ['--gradient-checkpointing'],
    ['--no-value'],
    ['--published'],
    ['--parameters', 'all', '--no-value'],
    ['--lora-layers', 'attention,feed-forward,convolutions'],
  ].map((words) =>
    check(`policy dpok ${words.join(' ')}`, async () => {
      await attune(dpok('sd1', onGpu ? 'bf16' : 'no', `dpok${words.join('')}`, words))
      return 'done'
    }),
  ),
])
await Promise.all([
  check('images generate --policy, --vae-tiling', async () => {
    const words = ['--per-prompt', '1', '--steps', '4', '--policy', at('dpok-no'), '--vae-tiling', ...base]
    await attune(['images', 'generate', '--prompts', at('prompts.txt'), ...words, '--out', at('after')])
    return 'done'
  }),
  check('report', async () => {
    writeFileSync(at('unseen.txt'), 'a green cat\na red mat\n')
    const policies = ['--policies', `${at('policy-3')},${at('dpok-no')}`, '--best-of', '2']
    const prompts = ['--seen', at('prompts.txt'), '--unseen', at('unseen.txt'), '--images-per-prompt', '2']
    const words = [...policies, ...prompts, '--kl-rollouts', '4', '--steps', '4', ...base]
    const networks = ['--features', join(features, 'dinov2'), '--detector', join(features, 'owlvit')]
    const encoder = ['--encoder', join(fixtures, 'clip')]
    await attune(['report', '--reward', at('reward'), ...words, ...networks, ...encoder, '--out', at('report')])
    return 'done'
  }),
  check('reward train --train-encoder', async () => {
    const words = ['--encoder', join(fixtures, 'clip'), '--epochs', '3', '--ensemble', '0', '--held-out', '0.25']
    const encoder = ['--train-encoder', 'lora', '--encoder-epochs', '2', '--encoder-batch-size', '4']
    await attune(['reward', 'train', '--feedback', at('feedback.sqlite'), ...words, ...encoder, ...base, '--out', at('own-encoder')]) // prettier-ignore
    return 'done'
  }),
  check('studio: a job, and what the device says meanwhile', watchStudio),
])
process.exitCode = failed > 0 ? 1 : 0
