import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { GenerateConfig } from '../images/generate-images.ts'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import { policyStages, takesInput } from '../stages.ts'
import { tensorScope } from '../tensor/scope.ts'
import { memoryPresets } from './memory-presets.ts'
import type { PresetStage } from './preset-request.ts'
import { policySchema } from './train-policy.ts'
import { DpoSettings, dpo } from './algorithms/dpo.ts'
import { trainableChange } from './trainable.ts'
import { trainedAtOnce } from './training-memory.ts'

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../test/fixtures/stable-diffusion/${name}`, import.meta.url))
const [model, encoder] = [fixture('sd1'), fixture('clip')]
const sampling = { steps: 3, eta: 1, guidance: 5 }
/** What a choice leaves for kernels, and what of a device is there for tensors. */
const withRoom = (bytes: number) => 1.15 * bytes + 5e8
const usable = 0.94

function configOf(stage: PresetStage): Record<string, unknown> {
  if (stage === 'images generate') return { ...sampling, model, prompts: 'prompts.txt', out: 'out' }
  const takes = (input: Parameters<typeof takesInput>[1]) => takesInput(stage, input)
  return {
    ...{ model, out: 'out' },
    ...(takes('reward') && { reward: encoder }),
    ...(takes('prompts') && { prompts: 'prompts.txt' }),
    ...(takes('images') && { images: ['images'] }),
    ...(takes('pairs') ? { feedback: 'feedback.db' } : sampling),
    ...(stage === 'policy draft' && { heldOutReward: encoder }),
  }
}

describe('presets by memory', () => {
  for (const stage of [...policyStages, 'images generate'] as const) {
    test(`of \`${stage}\` are settings of the stage, and stay within`, async () => {
      const schema = stage === 'images generate' ? GenerateConfig : await policySchema(stage)
      for (const device of stage === 'policy dpok' ? (['cuda', 'cpu'] as const) : (['cuda'] as const)) {
        const request = { stage, config: configOf(stage), device, budgets: [1e6, 8e9], encoder }
        const {
          presets: [small, large],
          trainedBytes,
        } = await memoryPresets(request)
        assert.equal(trainedBytes > 0, stage !== 'images generate')
        assert.equal(small.settings, null)
        // Half a gigabyte is left for kernels, however small the model.
        assert.ok(small.bytes > 5e8 && small.bytes < 6e8, `${small.bytes}`)
        assert.ok(large.settings !== null && large.bytes <= usable * 8e9)
        assert.ok(schema.safeParse({ ...configOf(stage), ...large.settings }).success)
      }
    })
  }

  test('hold as many as fit, and twice as many would not', async () => {
    using _scope = tensorScope()
    const hollow = openStableDiffusion(model, {
      ...{ device: 'cuda', dtype: 'bfloat16', imageSize: null, tiling: false, isHollow: true },
    }).model
    const trainable = trainableChange(hollow, { parameters: null, rank: 8, loraAlpha: 8, loraLayers: ['attention'] }, 0)
    const settings = DpoSettings.parse({})
    const [tried] = trainedAtOnce(dpo, { model: hollow, trainable, settings }, sampling)
    const held = (count: number) => tried.bytes(count, false)
    assert.ok(held(8) > 1.5 * held(4))
    const adapters = [...trainable.parameters.values()].reduce((sum, { numel }) => sum + 4 * numel, 0)
    const config = configOf('policy dpo')
    const of = async (budget: number) => {
      const request = { stage: 'policy dpo', config, device: 'cuda', budgets: [budget], encoder } as const
      const { presets, trainedBytes } = await memoryPresets(request)
      assert.equal(trainedBytes, adapters)
      return presets[0]
    }
    const loaded = (await of(8e9)).bytes - withRoom(held(32))
    // The model in half precision.
    const own = [...hollow.weights.tensors().values()].reduce((sum, { numel }) => sum + 2 * numel, 0)
    assert.ok(loaded > own + adapters && loaded < 2 * (own + adapters), `${loaded} of ${own} and ${adapters}`)
    const justFour = (loaded + withRoom(held(4))) / usable
    assert.equal((await of(justFour + 1)).settings?.gradientAccumulationSteps, 32 / 4)
    assert.equal((await of(justFour - 1)).settings?.gradientAccumulationSteps, 32 / 2)
    const justOne = (loaded + withRoom(held(1))) / usable
    assert.equal((await of(justOne + 1)).settings?.gradientCheckpointing, false)
    assert.notEqual((await of(justOne - 1)).settings?.gradientCheckpointing, false)
  })

  test('count a reward as nothing where nothing tells what it reads', async () => {
    const of = async (reward: string) => {
      const config = { ...configOf('policy dpok'), reward }
      const { presets } = await memoryPresets({
        stage: 'policy dpok',
        config,
        device: 'cuda',
        budgets: [8e9],
        encoder: null,
      })
      return presets[0].bytes
    }
    assert.ok((await of(encoder)) > (await of('runs/elsewhere')))
  })

  test('of a model in parts that do not fit each other say so', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'attune-presets-'))
    try {
      const config = { ...configOf('policy dpok'), model: empty }
      await assert.rejects(memoryPresets({ stage: 'policy dpok', config, device: 'cuda', budgets: [8e9], encoder }), {
        code: 'file',
      })
    } finally {
      rmSync(empty, { recursive: true })
    }
  })
})
