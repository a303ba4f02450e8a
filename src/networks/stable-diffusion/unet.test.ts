import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { denoisingLoss } from '../../diffusion/denoising-loss.ts'
import { readScheduler } from '../../diffusion/scheduler-config.ts'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { randn, tensor, zeros } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { Generator } from '../../tensor/generator.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { assertNear, distance, expectedOf, fixtures, readJson } from '../clip/fixture.test-helper.ts'
import { Weights, type Adapter } from '../weights.ts'
import * as published from './published-configs.test-helper.ts'
import { readUnetConfig, type UnetConfig } from './unet-config.ts'
import { unet, type UnetConditioning } from './unet.ts'

useThreads(1)

const checkpoints = ['sd1', 'sd2', 'sdxl']

function open(checkpoint: string, dtype: Dtype = 'float32'): { config: UnetConfig; weights: Weights } {
  const folder = `${checkpoint}/unet`
  const { tensors } = readSafetensors(join(fixtures, folder, 'diffusion_pytorch_model.safetensors'))
  const weights = Weights.of(new Map([...tensors].map(([name, each]) => [name, each.to(dtype)])), { dtype })
  return { config: readUnetConfig(readJson(`${folder}/config.json`), folder), weights }
}

type Expected = (key: string) => Tensor

/** Of the expected numbers named `unet.…`; the sizes exist for XL alone. */
function conditioningOf(checkpoint: string, expected: Expected): UnetConditioning {
  const tokens = expected('unet.encoder_hidden_states')
  if (checkpoint !== 'sdxl') return { tokens }
  return { tokens, pooled: expected('unet.text_embeds'), timeIds: expected('unet.time_ids') }
}

function rows(conditioning: UnetConditioning, from: number, to: number): UnetConditioning {
  const picked = Object.entries(conditioning) as [keyof UnetConditioning, Tensor][]
  return Object.fromEntries(
    picked.map(([name, each]) => [name, each.slice(0, from, to)]),
  ) as unknown as UnetConditioning
}

describe('the denoiser', () => {
  for (const checkpoint of checkpoints) {
    it(`gives the numbers of diffusers: ${checkpoint}`, () => {
      withoutLeak(() => {
        const expected = expectedOf(checkpoint)
        const { config, weights } = open(checkpoint)
        const given = conditioningOf(checkpoint, expected)
        const output = unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given)
        assertNear(output, expected('unet.output'), 1e-5)
        assert.deepEqual(weights.unasked(), [])
        const t = expected('unet.timestep').slice(0, 0, 1)
        const wide = unet(weights, config, expected('unet.wide_sample'), t, rows(given, 0, 1))
        assertNear(wide, expected('unet.wide_output'), 1e-5)
      })
    })

    it(`gives those of its bfloat16: ${checkpoint}`, () => {
      withoutLeak(() => {
        const expected = expectedOf(checkpoint)
        const { config, weights } = open(checkpoint, 'bfloat16')
        const given = conditioningOf(checkpoint, expected)
        const output = unet(weights, config, expected('unet.sample'), expected('unet.timestep'), given)
        assert.equal(output.dtype, 'bfloat16')
        console.log(
          checkpoint,
          distance(output, expected('unet.output_bf16')),
          distance(output, expected('unet.output')),
          distance(expected('unet.output'), expected('unet.output_bf16')),
        )
        assertNear(output, expected('unet.output_bf16'), 0.05)
      })
    })
  }
})

/** What diffusers and peft computed for one step of training, named `gradient.…`. */
function trainingStep(checkpoint: string, isCheckpointed: boolean) {
  const expected = expectedOf(`${checkpoint}-gradient`)
  const { tensors } = readSafetensors(join(fixtures, `expected-${checkpoint}-gradient.safetensors`))
  const namesOf = (kind: string) =>
    [...tensors.keys()]
      .filter((name) => name.startsWith(`gradient.${kind}.`))
      .map((name) => name.slice(kind.length + 10))
  const { config, weights } = open(checkpoint)
  const scale = expected('gradient.scale').item()
  const leaves = new Map<string, Tensor>()
  const leaf = (key: string, value: Tensor) => {
    leaves.set(key, value.requireGrad())
    return value
  }
  const adapters = new Map<string, Adapter>()
  for (const name of namesOf('lora')) {
    if (!name.endsWith('.lora_A.weight')) continue
    const target = name.slice(0, -'.lora_A.weight'.length)
    const half = (side: string) =>
      leaf(`lora_gradient.${target}.${side}.weight`, expected(`gradient.lora.${target}.${side}.weight`))
    adapters.set(`${target}.weight`, { down: half('lora_A'), up: half('lora_B'), scale })
  }
  const trained = new Map(
    namesOf('unet_gradient').map((name) => [name, leaf(`unet_gradient.${name}`, weights.tensors().get(name)!.clone())]),
  )
  const { schedule } = readScheduler(readJson(`${checkpoint}/scheduler/scheduler_config.json`), checkpoint)
  const [x0, epsilon, t] = ['x0', 'noise', 'timestep'].map((key) => expected(`gradient.${key}`))
  const alphaBar = tensor(t.toArray().map((at) => schedule.alphaBar[at]))
  const given = rows(conditioningOf(checkpoint, expectedOf(checkpoint)), 0, 2)
  using graph = gradientCheckpoints(isCheckpointed)
  const changed = weights.with({ trained, adapters })
  const prediction = unet(changed, config, expected('gradient.xt'), t, given)
  const loss = denoisingLoss({ prediction, x0, epsilon, alphaBar, type: schedule.predictionType }).mean()
  graph.backward(loss)
  return { leaves, prediction, loss, expected }
}

describe('one step of training', () => {
  for (const checkpoint of checkpoints) {
    for (const isCheckpointed of [false, true]) {
      it(`has the gradients of diffusers and peft: ${checkpoint}${isCheckpointed ? ', with checkpoints' : ''}`, () => {
        withoutLeak(() => {
          const { leaves, prediction, loss, expected } = trainingStep(checkpoint, isCheckpointed)
          assertNear(prediction, expected('gradient.prediction'), 1e-4)
          assertNear(loss, expected('gradient.loss'), 1e-4)
          assert.ok(leaves.size > 50)
          let most = 0
          for (const [key, each] of leaves) {
            const theirs = expected(`gradient.${key}`)
            const error = each.grad!.sub(theirs).norm().item() / theirs.norm().item()
            most = Math.max(most, error)
            assert.ok(error <= 1e-4, `${key}: ${error}`)
          }
          console.log(
            checkpoint,
            isCheckpointed,
            distance(prediction, expected('gradient.prediction')),
            most,
            leaves.size,
          )
        })
      })
    }
  }
})
