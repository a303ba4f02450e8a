/**
 * Peak memory of one prediction or one gradient of a denoiser of real size with random weights, on the CPU:
 * `node_modules/.bin/node bench/stable-diffusion/memory.ts [sd15|sdxl] [float32|bfloat16] [resolution] [rows]`. Each
 * setting runs in a process of its own. A gradient is that of a DPOK update with low-rank adapters on the attention: the
 * frozen prediction, the adapted one, the way back. Two rows are one transition with guidance.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isAdapterTarget } from '../../src/networks/stable-diffusion/model.ts'
import { sd15, sdxl } from '../../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { unet, type UnetConditioning } from '../../src/networks/stable-diffusion/unet.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import type { Adapter, Weights } from '../../src/networks/weights.ts'
import { withoutGrad } from '../../src/tensor/autograd.ts'
import { randn, tensor, zeros } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { gradientCheckpoints } from '../../src/tensor/gradient-checkpoints.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import { forgetPeak, memory } from '../side.ts'
import { randomWeights, smallestUnet } from './networks.ts'

const modes = ['predict', 'gradient', 'checkpointed gradient'] as const
type Mode = (typeof modes)[number]
const rank = 8

const [name = 'sd15', dtype = 'float32', resolution = '512', rows = '2', mode] = process.argv.slice(2)
if (mode === undefined) {
  console.log(`${name}, ${dtype}, ${resolution} × ${resolution}, ${rows} rows`)
  for (const each of modes) {
    const words = [fileURLToPath(import.meta.url), name, dtype, resolution, rows, each]
    const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' })
    console.log(status === 0 ? stdout.trim() : `${each}: ${stderr.trim().split('\n').at(-1)}`)
  }
} else measure(mode as Mode)

function measure(mode: Mode): void {
  useThreads(2)
  using _scope = tensorScope()
  const config = readUnetConfig(name === 'sdxl' ? sdxl : sd15, 'unet')
  const weights = randomWeights(dtype as Dtype, 'cpu', (fresh) => smallestUnet(fresh, config))
  const [batch, side] = [Number(rows), Number(resolution) / 8]
  const source = new Generator(0)
  const xt = randn([batch, 4, side, side], source).to(dtype)
  const t = tensor(new Array<number>(batch).fill(500), [batch], 'int64')
  const { addition, tokenWidth } = config
  const conditioning: UnetConditioning = {
    tokens: randn([batch, 77, tokenWidth], source).to(dtype),
    ...(addition && {
      pooled: randn([batch, addition.inputs - 6 * addition.timeWidth], source).to(dtype),
      timeIds: tensor(new Array<number>(6 * batch).fill(Number(resolution)), [batch, 6]),
    }),
  }
  const adapters = mode === 'predict' ? new Map<string, Adapter>() : freshAdapters(weights, source)
  const held = memory().now
  forgetPeak()
  const began = performance.now()
  {
    using _pass = tensorScope()
    const predict = (of: Weights) => unet(of, config, xt, t, conditioning)
    const reference = withoutGrad(() => predict(weights))
    if (mode !== 'predict') {
      using graph = gradientCheckpoints(mode === 'checkpointed gradient')
      graph.backward(predict(weights.with({ adapters })).sub(reference).to('float32').square().mean())
    }
  }
  const seconds = (performance.now() - began) / 1000
  const peak = memory().peak
  console.log(
    `${mode}: weights and adapters ${held.toFixed(0)} MB, beyond them ${(peak - held).toFixed(0)} MB, ${seconds.toFixed(0)} s`,
  )
}

function freshAdapters(weights: Weights, source: Generator): Map<string, Adapter> {
  const targets = [...weights.tensors()].filter(([key]) => isAdapterTarget(`unet.${key}`, ['attention']))
  return new Map(
    targets.map(([key, { shape }]) => {
      const down = randn([rank, shape[1]], source).mul_(0.01).requireGrad()
      return [key, { down, up: zeros([shape[0], rank]).requireGrad(), scale: 1 }]
    }),
  )
}
