/**
 * Stable Diffusion 1.5's size on a GPU, against plain PyTorch loops of the same work:
 * `node_modules/.bin/node bench/stable-diffusion/gpu.ts [--python python3] [--device cuda:0] [--batches 1,4,16] [--steps 50]
 * [--transitions 4] [--rollouts 16] [--rounds 5] [--sides attune,eager,compiled] [--tiny]`. Random weights in bf16, 512² pixels:
 * drawing with guidance and the decoder, passes of the UNet by the order of numbers in memory, updates of DPOK in bf16 and
 * float32, whole iterations of the trainer, and CLIP by type. PyTorch runs eager, without autocast, and once compiled with
 * channels last, at the largest batch. The programs run one after the other, alone on the device; a row is printed as soon as
 * it is measured, Attune's first. `--tiny` with `--device cpu` shows that the script works.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeLibrary } from '../../src/tensor/library.ts'
import { products, type Figure, type GpuSetup } from './gpu-setup.ts'
import { configsOf } from './model.ts'

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.ATTUNE_BENCH_PYTHON ?? 'python3' },
    device: { type: 'string', default: 'cuda:0' },
    batches: { type: 'string', default: '1,4,16' },
    steps: { type: 'string', default: '50' },
    transitions: { type: 'string', default: '4' },
    rollouts: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    sides: { type: 'string', default: 'attune,eager,compiled' },
    tiny: { type: 'boolean', default: false },
  },
})
const { device, tiny } = values
const setup: GpuSetup = {
  device,
  dtype: device === 'cpu' ? 'float32' : 'bfloat16',
  batches: values.batches.split(',').map(Number),
  steps: Number(values.steps),
  transitions: Number(values.transitions),
  rollouts: Number(values.rollouts),
  rounds: Number(values.rounds),
  tiny,
}
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const { unet, vae, scheduler, side } = configsOf(tiny)
const forPython = { ...setup, unet, vae, scheduler, side, products: { ...products, side: products.side(tiny) } }

type Side = 'attune' | 'eager' | 'compiled'
const commands: Readonly<Record<Side, readonly [command: string, words: readonly string[]]>> = {
  attune: [process.execPath, [beside('gpu-cases.ts'), JSON.stringify(setup)]],
  eager: [values.python, [beside('gpu.py'), 'eager', JSON.stringify(forPython)]],
  compiled: [values.python, [beside('gpu.py'), 'compiled', JSON.stringify(forPython)]],
}

console.log(
  `${gpuName()}, ${setup.dtype}; libtorch ${describeLibrary().version}; ${setup.steps} steps; medians of ${setup.rounds}`,
)
console.log('| case | side | median | least to most | ÷ PyTorch | of matmul | MB |\n|---|---|---|---|---|---|---|')
const all = new Map<Side, Map<string, Figure>>()
let flopPerRow: number | undefined
for (const name of values.sides.split(',') as Side[]) await run(name)

/** Prints the rows of one side as they come. What fails leaves the rows of the others. */
async function run(side: Side): Promise<void> {
  const own = new Map<string, Figure>()
  all.set(side, own)
  const [command, words] = commands[side]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (code, signal) => done(code === 0 ? '' : `ended with ${code ?? signal}`))
  })
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('{')) continue
    const told = JSON.parse(line) as Figure | { readonly flopPerRow: number }
    if ('flopPerRow' in told) flopPerRow = told.flopPerRow
    else show(side, told)
  }
  const failure = await ended
  if (failure !== '') console.log(`| | ${side} | ${failure} | | | | |`)
}

function show(side: Side, figure: Figure): void {
  all.get(side)!.set(figure.name, figure)
  const attune = all.get('attune')?.get(figure.name)
  const { name, seconds, least, most, megabytes } = figure
  const shown = (s: number) => (s < 1 ? `${(1000 * s).toPrecision(3)} ms` : `${s.toPrecision(3)} s`)
  const [, batch] = /^draw (\d+)$/.exec(name) ?? []
  const rate = batch === undefined ? '' : `, ${(Number(batch) / seconds).toFixed(2)} images/s`
  const ratio = side === 'attune' || attune === undefined ? '' : (attune.seconds / seconds).toFixed(2)
  const cells = [
    name,
    side,
    shown(seconds) + rate,
    `${shown(least)} to ${shown(most)}`,
    ratio,
    share(side, figure),
    megabytes ?? '',
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

/** Rows through the UNet that a case computes; an update's way back counts as two, since frozen weights have no gradient but their inputs do. */
function rowsOf(name: string): number | undefined {
  const [, batch] = /^draw (\d+)$/.exec(name) ?? []
  if (batch !== undefined) return 2 * setup.steps * Number(batch)
  const [, rows] = /^pass of (\d+) rows/.exec(name) ?? []
  if (rows !== undefined) return Number(rows)
  return name.startsWith('update') ? 3 * 2 * setup.transitions : undefined
}

/** Of the rate at which this side multiplies matrices; only PyTorch counts FLOP, so Attune's shares stand in its rows. */
function share(side: Side, { name, seconds }: Figure): string {
  const rows = rowsOf(name)
  if (rows === undefined || flopPerRow === undefined) return ''
  const of = (which: Side, time: number) => {
    const matmul = all.get(which)?.get('matmul')
    if (matmul === undefined) return ''
    const rate = (2 * products.side(tiny) ** 3 * products.count) / matmul.seconds
    return `${((100 * rows * flopPerRow!) / time / rate).toFixed(0)} %`
  }
  const attune = all.get('attune')?.get(name)
  return side === 'attune' || attune === undefined
    ? of(side, seconds)
    : `${of(side, seconds)} (Attune ${of('attune', attune.seconds)})`
}

function gpuName(): string {
  if (device === 'cpu') return 'CPU'
  return execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' }).trim()
}
