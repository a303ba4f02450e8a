/** Errors, loss and gradients of Diffusion-DPO on tiny checkpoints, against diffusers and peft. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import type { Adapter } from '../networks/weights.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { cat } from '../tensor/create.ts'
import { gradientCheckpoints } from '../tensor/gradient-checkpoints.ts'
import { useThreads } from '../tensor/library.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { impliedPreference, pairErrors } from './pair-errors.ts'

useThreads(1)

const fixtures = new URL('../../test/fixtures/stable-diffusion/', import.meta.url)
const { prompts } = JSON.parse(readFileSync(new URL('prompts.json', fixtures), 'utf8')) as { prompts: string[] }
const downSuffix = '.lora_A.weight'

function near(actual: Tensor, wanted: Tensor, within: number, what: string): void {
  const error = actual.sub(wanted).norm().item() / wanted.norm().item()
  assert.ok(error <= within, `${what}: relative error ${error}`)
}

describe('errors on pairs, and what they say', () => {
  for (const name of ['sd1', 'sd2', 'sdxl']) {
    for (const isCheckpointed of [false, true]) {
      const told = `${name}${isCheckpointed ? ', with checkpoints' : ''}`
      it(`are those of diffusers and peft: ${told}`, () => {
        using _scope = tensorScope()
        const folder = fileURLToPath(new URL(name, fixtures))
        const { model } = openStableDiffusion(folder, {
          device: 'cpu',
          dtype: 'float32',
          imageSize: null,
          tiling: false,
        })
        const { tensors } = readSafetensors(fileURLToPath(new URL('expected-preferences.safetensors', fixtures)))
        const expected = (key: string) => tensors.get(`${name}.${key}`) ?? assert.fail(`no ${name}.${key}`)
        const prefix = `${name}.lora.`
        const layers = [...tensors.keys()]
          .filter((key) => key.startsWith(prefix) && key.endsWith(downSuffix))
          .map((key) => key.slice(prefix.length, -downSuffix.length))
        const leaves = new Map<string, Tensor>()
        const leaf = (key: string) => {
          leaves.set(key, expected(`lora.${key}`).requireGrad())
          return leaves.get(key)!
        }
        const scale = expected('scale').item()
        const adapters = new Map<string, Adapter>(
          layers.map((layer) => [
            `unet.${layer}.weight`,
            { down: leaf(layer + downSuffix), up: leaf(`${layer}.lora_B.weight`), scale },
          ]),
        )
        const texts = expected('prompt_index').toArray().map((i) => prompts[i]) // prettier-ignore
        const twice = (key: string) => cat([expected(key), expected(key)])
        const pairs = {
          x0: cat([expected('better'), expected('worse')]),
          earlier: [],
          texts: [...texts, ...texts],
          t: twice('timestep'),
          epsilon: twice('noise'),
        }
        using graph = gradientCheckpoints(isCheckpointed)
        const policy = pairErrors(model.with({ adapters }), pairs)
        const reference = withoutGrad(() => pairErrors(model.with({}), pairs))
        const implied = impliedPreference(policy, reference, expected('beta').item())
        const losses = implied.neg().softplus()
        graph.backward(losses.mean())
        near(policy.better, expected('better_error'), 1e-5, 'policy, better')
        near(policy.worse, expected('worse_error'), 1e-5, 'policy, worse')
        near(reference.better, expected('better_reference_error'), 1e-5, 'reference, better')
        near(reference.worse, expected('worse_reference_error'), 1e-5, 'reference, worse')
        // A difference of four numbers near 1, times 250
        near(implied, expected('inside'), 1e-3, 'implied preference')
        near(losses, expected('losses'), 1e-3, 'losses')
        assert.equal(leaves.size, name === 'sdxl' ? 128 : 64)
        for (const [key, { grad }] of leaves) near(grad!, expected(`gradient.${key}`), 1e-3, key)
      })
    }
  }
})
