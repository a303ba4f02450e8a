/**
 * The TypeScript side of compare.ts: one network, which it runs once a question. `cases.ts <network> <dtype> <threads>
 * <configuration>`; each network stands in cases.py with the same inputs.
 */
import { ClipConfig } from '../../src/networks/clip/config.ts'
import { projectText, textModel } from '../../src/networks/clip/text-model.ts'
import { projectImage, visionModel } from '../../src/networks/clip/vision-model.ts'
import { decode } from '../../src/networks/stable-diffusion/autoencoder.ts'
import { readAutoencoderConfig } from '../../src/networks/stable-diffusion/autoencoder-config.ts'
import { unet } from '../../src/networks/stable-diffusion/unet.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import type { Weights } from '../../src/networks/weights.ts'
import { noGrad } from '../../src/tensor/autograd.ts'
import { randint, randn, tensor } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { answerQuestions, forgetPeak, memory } from '../side.ts'
import { randomWeights, smallestAutoencoder, smallestUnet } from './networks.ts'

const [name, dtype, threads, file] = process.argv.slice(2) as [string, Dtype, string, string]
const source = new Generator(0)

/** Weights, and one pass through them. */
function network(config: unknown): { weights: Weights; run: () => Tensor } {
  if (name === 'unet') {
    const size = readUnetConfig(config, 'unet')
    const weights = randomWeights(dtype, 'cpu', (weights) => smallestUnet(weights, size))
    const xt = randn([2, 4, 64, 64], source).to(dtype)
    const tokens = randn([2, 77, 768], source).to(dtype)
    const t = tensor([981, 981], [2], 'int64')
    return { weights, run: () => unet(weights, size, xt, t, { tokens }) }
  }
  if (name === 'vae') {
    const size = readAutoencoderConfig(config, 'vae')
    const weights = randomWeights(dtype, 'cpu', (weights) => smallestAutoencoder(weights, size))
    const latents = randn([1, 4, 64, 64], source).to(dtype)
    return { weights, run: () => decode(weights, size, latents) }
  }
  const size = ClipConfig.parse(config)
  const pixels = randn([1, 3, 224, 224], source).to(dtype)
  const ids = randint(0, 49406, [1, 77], source)
  const encode = (weights: Weights) => {
    const image = projectImage(weights, size.vision, size.projection, visionModel(weights, size.vision, pixels))
    return image.add(projectText(weights, size.text, size.projection, textModel(weights, size.text, ids).pooled))
  }
  const weights = randomWeights(dtype, 'cpu', encode)
  return { weights, run: () => encode(weights) }
}

useThreads(Number(threads))
const { weights, run } = network(JSON.parse(file))
let parameters = 0
for (const each of weights.tensors().values()) parameters += each.numel
console.log(JSON.stringify({ parameters, megabytes: memory().now, version: `Node ${process.versions.node}` }))
await answerQuestions(() => {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  forgetPeak()
  const [begin, cpu] = [process.hrtime.bigint(), process.cpuUsage()]
  const result = run()
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9
  const { user, system } = process.cpuUsage(cpu)
  const megabytes = memory().peak
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    megabytes,
    shape: result.shape,
    finite: result.isfinite().to('float32').mean().item() === 1,
  }
})
