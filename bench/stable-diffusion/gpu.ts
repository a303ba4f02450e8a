/**
 * Stable Diffusion 1.5's size on a GPU, against a plain PyTorch loop of the same work:
 * `node_modules/.bin/node bench/stable-diffusion/gpu.ts [--python python3] [--device cuda:0] [--batches 1,4,8,16]
 * [--steps 50] [--transitions 4] [--tiny]`. Random weights in bf16, 512² pixels, DDIM with guidance (two rows an image) and
 * the decoder; then updates of DPOK: two predictions and the way back through low-rank adapters of rank 8, and AdamW. The
 * two programs run one after the other, alone on the device. `--tiny` with `--device cpu` shows that the script works.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ddimSampler } from '../../src/diffusion/ddim.ts'
import { guide } from '../../src/diffusion/guidance.ts'
import { sampleImages } from '../../src/diffusion/sample.ts'
import { leadingTimesteps, scaledLinearSchedule } from '../../src/diffusion/schedule.ts'
import { decode } from '../../src/networks/stable-diffusion/autoencoder.ts'
import { readAutoencoderConfig } from '../../src/networks/stable-diffusion/autoencoder-config.ts'
import { isAdapterTarget } from '../../src/networks/stable-diffusion/model.ts'
import { sd15 } from '../../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { unet } from '../../src/networks/stable-diffusion/unet.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import type { Adapter } from '../../src/networks/weights.ts'
import { AdamW } from '../../src/tensor/adamw.ts'
import { noGrad, withoutGrad } from '../../src/tensor/autograd.ts'
import { cat, full, randn, zeros } from '../../src/tensor/create.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { describeLibrary, useTf32 } from '../../src/tensor/library.ts'
import { gradientCheckpoints } from '../../src/tensor/gradient-checkpoints.ts'
import { applyGradients } from '../../src/tensor/optimise.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { autoencoder, randomWeights, smallestAutoencoder, smallestUnet } from './networks.ts'

interface Figures {
  /** FLOP of the network for one row; Python alone counts them. */
  readonly flopPerRow?: number
  readonly matmulTflops: number
  readonly drawing: readonly { batch: number; seconds: number; megabytes: number }[]
  /** In the type of the roll-outs, in float32 over the same weights, and so with gradient checkpoints, as DPOK trains. */
  readonly updates: readonly { type: string; seconds: number; megabytes: number }[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: process.env.ATTUNE_BENCH_PYTHON ?? 'python3' },
    device: { type: 'string', default: 'cuda:0' },
    batches: { type: 'string', default: '1,4,8,16' },
    steps: { type: 'string', default: '50' },
    transitions: { type: 'string', default: '4' },
    tiny: { type: 'boolean', default: false },
  },
})
const { device, tiny } = values
const [batches, steps, transitions] = [
  values.batches.split(',').map(Number),
  Number(values.steps),
  Number(values.transitions),
]
const dtype = device === 'cpu' ? 'float32' : 'bfloat16'
useTf32(false)
const small = { block_out_channels: [32, 64, 64, 64], norm_num_groups: 8 }
const config = {
  unet: { ...sd15, ...(tiny && { ...small, attention_head_dim: 4 }) },
  vae: { ...autoencoder, ...(tiny && small) },
  side: tiny ? 8 : 64,
  matmul: tiny ? 256 : 8192,
}

if (positionals[0] === 'measure') console.log(JSON.stringify(measure()))
else compare()

function compare(): void {
  const given = [device, values.batches, values.steps, values.transitions]
  const flags = [
    '--device',
    device,
    '--batches',
    values.batches,
    '--steps',
    values.steps,
    '--transitions',
    values.transitions,
  ]
  const run = (command: string, words: string[]) =>
    JSON.parse(
      execFileSync(command, words, { encoding: 'utf8', maxBuffer: 2 ** 24 })
        .trim()
        .split('\n')
        .at(-1)!,
    ) as Figures
  const own = run(process.execPath, [fileURLToPath(import.meta.url), 'measure', ...flags, ...(tiny ? ['--tiny'] : [])])
  const file = fileURLToPath(new URL('gpu.py', import.meta.url))
  const python = run(values.python, [file, ...given, dtype, JSON.stringify(config)])
  const share = (rowsPerSecond: number, { matmulTflops }: Figures) =>
    `${((100 * rowsPerSecond * python.flopPerRow!) / 1e12 / matmulTflops).toFixed(0)} %`
  console.log(
    `${gpuName()}, ${dtype}; libtorch ${describeLibrary().version}; matmul ${own.matmulTflops.toFixed(0)} and ${python.matmulTflops.toFixed(0)} TFLOP/s`,
  )
  console.log(
    '| | Attune | PyTorch | ratio | of matmul | of matmul, PyTorch | MB | MB, PyTorch |\n|---|---|---|---|---|---|---|---|',
  )
  own.drawing.forEach(({ batch, seconds, megabytes }, i) => {
    const other = python.drawing[i]
    const shares = [share((2 * steps * batch) / seconds, own), share((2 * steps * batch) / other.seconds, python)]
    const rates = [batch / seconds, batch / other.seconds].map((rate) => `${rate.toFixed(2)} images/s`)
    console.log(
      `| batch ${batch} | ${[...rates, (seconds / other.seconds).toFixed(2), ...shares, megabytes, other.megabytes].join(' | ')} |`,
    )
  })
  for (const ours of own.updates) {
    // PyTorch's side has no checkpoints: it stands for both ways of float32.
    const theirs = python.updates.find(({ type }) => ours.type.startsWith(type))!
    // Forward twice and back once with twice the work of a forward pass, but no gradient of the frozen weights.
    const shares = [
      share((3 * 2 * transitions) / ours.seconds, own),
      share((3 * 2 * transitions) / theirs.seconds, python),
    ]
    const times = [ours, theirs].map(({ seconds }) => `${seconds.toFixed(3)} s`)
    console.log(
      `| DPOK update in ${ours.type}, ${transitions} transitions | ${[...times, (ours.seconds / theirs.seconds).toFixed(2), ...shares, ours.megabytes, theirs.megabytes].join(' | ')} |`,
    )
  }
}

function gpuName(): string {
  if (device === 'cpu') return 'CPU'
  return execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' }).trim()
}

/** Of the device, by everything on it; libtorch keeps what it once took. */
function deviceMegabytes(): number {
  if (device === 'cpu') return 0
  const words = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '-i', device.slice('cuda:'.length)]
  return Number(execFileSync('nvidia-smi', words, { encoding: 'utf8' }))
}

/** Seconds of the second run. `work` gives a tensor whose number is waited for. */
function timed(work: () => Tensor): number {
  let seconds = 0
  for (let round = 0; round < 2; round++) {
    using _scope = tensorScope()
    const began = process.hrtime.bigint()
    work().to('float32').sum().item()
    seconds = Number(process.hrtime.bigint() - began) / 1e9
  }
  return seconds
}

function measure(): Figures {
  using _scope = tensorScope()
  const source = new Generator(0)
  const noise = (...shape: number[]) => randn(shape, source).to(device)
  const a = noise(config.matmul, config.matmul).to(dtype)
  const products = 20
  const matmulSeconds = timed(() => {
    using scope = tensorScope()
    for (let i = 1; i < products; i++) a.matmul(a).dispose()
    return scope.keep(a.matmul(a).select(0, 0))
  })

  const size = readUnetConfig(config.unet, 'unet')
  const weights = randomWeights(dtype, device, (fresh) => smallestUnet(fresh, size))
  const codec = readAutoencoderConfig(config.vae, 'vae')
  const decoder = randomWeights(dtype, device, (fresh) => smallestAutoencoder(fresh, codec))
  const schedule = scaledLinearSchedule({ start: 0.00085, end: 0.012 })
  const sampler = ddimSampler(schedule, leadingTimesteps(1000, steps, 1), { finalAlphaBar: schedule.alphaBar[0] })
  const tokensOf = (rows: number) => noise(rows, 77, size.tokenWidth).to(dtype)

  const drawing = batches.map((batch) => {
    using _batch = tensorScope()
    using _noGrad = noGrad()
    const tokens = tokensOf(2 * batch)
    const start = noise(batch, steps + 1, 4, config.side, config.side)
    const predict = (xt: Tensor, t: Tensor) => {
      const both = unet(weights, size, cat([xt, xt]), cat([t, t]), { tokens }).to('float32')
      return guide(both.slice(0, 0, batch), both.slice(0, batch, 2 * batch), 7.5)
    }
    const seconds = timed(() => {
      using scope = tensorScope()
      const x0 = sampleImages({ predict, sampler, noise: start })
      return scope.keep(decode(decoder, codec, x0.div(codec.scalingFactor)))
    })
    return { batch, seconds, megabytes: deviceMegabytes() }
  })

  const adapters = new Map<string, Adapter>()
  const parameters = new Map<string, Tensor>()
  for (const [key, { shape }] of weights.tensors()) {
    if (!isAdapterTarget(`unet.${key}`, ['attention'])) continue
    const down = randn([8, shape[1]], source).mul_(0.01).to(device).requireGrad()
    const up = zeros([shape[0], 8], 'float32', device).requireGrad()
    adapters.set(key, { down, up, scale: 1 })
    parameters.set(`${key}.down`, down).set(`${key}.up`, up)
  }
  const optimiser = new AdamW(parameters, { learningRate: 1e-4 })
  const rows = 2 * transitions
  const [xt, t, tokens] = [noise(rows, 4, config.side, config.side), full([rows], 500, 'int64', device), tokensOf(rows)]
  const kinds = [...new Set([dtype, 'float32'] as const)].map((type) => ({ type, isCheckpointed: false }))
  const updates = [{ type: 'float32' as const, isCheckpointed: true }, ...kinds].map(({ type, isCheckpointed }) => {
    const [reference, policy] = [weights.in(type), weights.in(type).with({ adapters })]
    const given = { tokens: tokens.to(type) }
    const seconds = timed(() => {
      using scope = tensorScope()
      using graph = gradientCheckpoints(isCheckpointed)
      const before = withoutGrad(() => unet(reference, size, xt, t, given))
      const loss = unet(policy, size, xt, t, given).sub(before).to('float32').square().mean()
      graph.backward(loss)
      applyGradients([optimiser], parameters, { maxGradNorm: 1 })
      return scope.keep(loss.detach())
    })
    return { type: isCheckpointed ? `${type} with checkpoints` : type, seconds, megabytes: deviceMegabytes() }
  })
  return {
    matmulTflops: (2 * config.matmul ** 3 * products) / matmulSeconds / 1e12,
    drawing,
    updates,
  }
}
