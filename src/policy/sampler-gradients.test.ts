/** Gradients of a reward through guided sampling on tiny checkpoints, against diffusers, peft and transformers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { predictImage, sampleUntil, sampleWithGradient } from '../diffusion/sample.ts'
import { samplerOf } from '../images/draw.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { modelFields } from '../images/open-model.ts'
import { policyOf } from '../networks/generative-model.ts'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import type { Adapter } from '../networks/weights.ts'
import { openReward } from '../reward/open-reward.ts'
import { gradientCheckpoints } from '../tensor/gradient-checkpoints.ts'
import { useThreads } from '../tensor/library.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

useThreads(1)

const fixtures = new URL('../../test/fixtures/stable-diffusion/', import.meta.url)
const at = (name: string) => fileURLToPath(new URL(name, fixtures))
const { prompts } = JSON.parse(readFileSync(at('prompts.json'), 'utf8')) as { prompts: string[] }
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const reward = await openReward(at('clip'), config, () => assert.fail('the model is not needed'))
const { tensors } = readSafetensors(at('expected-draft.safetensors'))
const sampling = { steps: 4, eta: 1, guidance: 3 }
const downSuffix = '.lora_A.weight'

function near(actual: Tensor, wanted: Tensor, within: number, what: string): void {
  const error = actual.sub(wanted).norm().item() / wanted.norm().item()
  assert.ok(error <= within, `${what}: relative error ${error}`)
}

describe('the gradient of a reward through guided sampling', () => {
  for (const [name, way, last] of [
    ['sd1', 'draft', 1],
    ['sd1', 'draft', 2],
    ['sd1', 'refl', 2],
    ['sd2', 'draft', 4],
  ] as const) {
    for (const isCheckpointed of [false, true]) {
      const told = `${name}, ${way} ${last}${isCheckpointed ? ', with checkpoints' : ''}`
      it(`is that of diffusers, peft and transformers: ${told}`, () => {
        using _scope = tensorScope()
        const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
        const { model } = openStableDiffusion(at(name), options)
        const expected = (key: string) => tensors.get(`${name}.${key}`) ?? assert.fail(`no ${name}.${key}`)
        const prefix = `${name}.lora.`
        const layers = [...tensors.keys()]
          .filter((key) => key.startsWith(prefix) && key.endsWith(downSuffix))
          .map((key) => key.slice(prefix.length, -downSuffix.length))
        const leaves = new Map<string, Tensor>()
        const leaf = (key: string) => {
          leaves.set(key, expected(`lora.${key}`).detach().requireGrad())
          return leaves.get(key)!
        }
        const scale = expected('scale').item()
        const adapters = new Map<string, Adapter>(
          layers.map((layer) => [
            `unet.${layer}.weight`,
            { down: leaf(layer + downSuffix), up: leaf(`${layer}.lora_B.weight`), scale },
          ]),
        )
        const policy = model.with({ adapters })
        const texts = expected('prompt_index').toArray().map((i) => prompts[i]) // prettier-ignore
        using graph = gradientCheckpoints(isCheckpointed)
        const predict = guidedPredictor(policyOf(policy), encodePrompts(policy, texts), { texts }, sampling.guidance)
        const denoising = { predict, sampler: samplerOf(model, sampling), noise: expected('noise') }
        const first = sampling.steps - last
        const x0 =
          way === 'draft'
            ? sampleWithGradient(denoising, last)
            : predictImage(denoising, sampleUntil(denoising, first), first)
        const scores = reward.scoreWithGradient!(policy.decode([x0]), texts)
        graph.backward(scores.mean())
        near(scores, expected(`${way}-${last}.scores`), 1e-4, 'scores')
        assert.equal(leaves.size, 64)
        for (const [key, { grad }] of leaves) near(grad!, expected(`${way}-${last}.gradient.${key}`), 2e-3, key)
      })
    }
  }
})
