/** Losses on the forward process and their gradients on tiny checkpoints, against diffusers and peft. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import type { Adapter } from '../networks/weights.ts'
import { gradients, withoutGrad } from '../tensor/autograd.ts'
import { useThreads } from '../tensor/library.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { matchingSurrogate } from './matching-ratio.ts'
import { cappedWeight, nftLosses } from './nft-loss.ts'

useThreads(1)

const fixtures = new URL('../../test/fixtures/stable-diffusion/', import.meta.url)
const { prompts } = JSON.parse(readFileSync(new URL('prompts.json', fixtures), 'utf8')) as { prompts: string[] }
const downSuffix = '.lora_A.weight'

function near(actual: Tensor, wanted: Tensor, within: number, what: string): void {
  const error = actual.sub(wanted).norm().item() / wanted.norm().item()
  assert.ok(error <= within, `${what}: relative error ${error}`)
}

/** The batch of a fixture, with what is said of it by a policy of adapters, by an old one and by the reference. */
function batchOf(name: string) {
  const dtype = 'float32'
  const { model } = openStableDiffusion(fileURLToPath(new URL(name, fixtures)), {
    ...{ device: 'cpu', dtype, imageSize: null, tiling: false },
  })
  const { tensors } = readSafetensors(fileURLToPath(new URL('expected-forward.safetensors', fixtures)))
  const expected = (key: string) => tensors.get(`${name}.${key}`) ?? assert.fail(`no ${name}.${key}`)
  const number = (key: string) => expected(key).item()
  const leaves = new Map<string, Tensor>()
  const adaptersOf = (kind: 'lora' | 'old'): GenerativeModel => {
    const prefix = `${name}.${kind}.`
    const leaf = (key: string) => {
      const own = expected(`${kind}.${key}`)
      if (kind === 'lora') leaves.set(key, own.requireGrad())
      return own
    }
    const layers = [...tensors.keys()]
      .filter((key) => key.startsWith(prefix) && key.endsWith(downSuffix))
      .map((key) => key.slice(prefix.length, -downSuffix.length))
    const adapters = layers.map((layer): [string, Adapter] => [
      `unet.${layer}.weight`,
      { down: leaf(layer + downSuffix), up: leaf(`${layer}.lora_B.weight`), scale: number('scale') },
    ])
    return model.with({ adapters: new Map(adapters) })
  }
  const { process } = policyOf(model)
  const texts = expected('prompt_index').toArray().map((i) => prompts[i]) // prettier-ignore
  const [x0, epsilon, t] = [expected('images'), expected('noise'), expected('timestep')]
  const predictBy = (by: GenerativeModel) =>
    guidedPredictor(policyOf(by), encodePrompts(by, texts), { texts }, 1)(process.noised(x0, epsilon, t), t)
  const said = {
    policy: predictBy(adaptersOf('lora')),
    old: withoutGrad(() => predictBy(adaptersOf('old'))),
    reference: withoutGrad(() => predictBy(model.with({}))),
  }
  const gradientsOf = (loss: Tensor, kind: string) => {
    assert.equal(leaves.size, 64)
    const found = gradients([loss], [...leaves.values()])
    ;[...leaves.keys()].forEach((key, i) => near(found[i]!, expected(`${kind}_gradient.${key}`), 2e-3, key))
  }
  return { expected, number, process, x0, epsilon, t, ...said, gradientsOf }
}

describe('losses on the forward process are those of diffusers and peft', () => {
  for (const name of ['sd1', 'sd2']) {
    it(`DiffusionNFT, ${name}`, () => {
      using _scope = tensorScope()
      const { expected, number, process, x0, epsilon, t, policy, old, reference, gradientsOf } = batchOf(name)
      const weight = cappedWeight(process.imagePerPrediction(t))
      const target = process.target(x0, epsilon, t)
      const losses = nftLosses({ policy, old, target, optimality: expected('optimality'), weight }, number('beta'))
      const distance = policy.sub(reference).square().flatten(1).mean(1)
      near(losses, expected('nft'), 1e-4, 'loss')
      near(distance, expected('distance'), 1e-4, 'distance')
      gradientsOf(
        losses
          .mul(5)
          .add(distance.mul(number('distance_weight')))
          .mean(),
        'nft',
      )
    })

    it(`advantage weighted matching, ${name}`, () => {
      using _scope = tensorScope()
      const { expected, number, process, x0, epsilon, t, policy, old, gradientsOf } = batchOf(name)
      const errorOf = (prediction: Tensor) => denoisingLoss(process, { prediction, x0, epsilon, t })
      const [losses, oldLosses] = [errorOf(policy), errorOf(old)]
      near(losses, expected('matching'), 1e-5, 'matching loss')
      near(oldLosses, expected('old_matching'), 1e-5, 'matching loss of the old policy')
      const surrogate = matchingSurrogate(losses, oldLosses, expected('advantages'), number('clip_range'))
      near(surrogate, expected('surrogate'), 1e-4, 'surrogate')
      gradientsOf(surrogate.mean(), 'awm')
    })
  }
})
