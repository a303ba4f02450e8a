/** Presets by memory through the HTTP interface: what they fill in is accepted by the form. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { devicesOf } from '../devices/devices.ts'
import type { Presets } from '../schemas/jobs.ts'
import { refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/stable-diffusion/${name}`, import.meta.url))
const stage = 'images generate'

async function worked({ client }: TestStudio, settings: object): Promise<Presets['presets']> {
  for (;;) {
    const { isReady, presets } = await client.presets({ stage, settings: JSON.stringify(settings) })
    if (isReady) return presets
    await wait(50)
  }
}

describe('presets by memory', () => {
  test('are offered for a checkpoint, and can be started with', async () => {
    const devices = devicesOf(null, 1, 3)
    await using it = await testStudio({ model: fixture('sd1'), encoder: fixture('clip'), devices })
    const prompts = ['a red apple']
    const presets = await worked(it, { prompts })
    assert.deepEqual(
      presets.map(({ memory, isHere }) => [memory, isHere]),
      [8e9, 24e9, 80e9].map((memory) => [memory, false]),
    )
    assert.ok(presets.every(({ settings, takes, memory }) => Number(settings?.batchSize) >= 1 && takes < memory))
    const { settings } = await it.client.startJob({ stage, settings: { prompts, ...presets[0].settings } })
    assert.equal(settings.batchSize, presets[0].settings?.batchSize)
    assert.deepEqual(await worked(it, { prompts: ['another'], seed: 7 }), presets)
    const onCpu = await worked(it, { prompts, device: 'cpu' })
    assert.ok(onCpu.some(({ isHere }) => isHere))
    const ask = (settings: string) => it.client.presets({ stage, settings })
    for (const settings of ['{', '[]', '3', '{"rank": {}}'])
      await assert.rejects(ask(settings), refused(400, 'invalid'))
    for (const settings of ['{"depth": 3}', '{"steps": -1}'])
      await assert.rejects(ask(settings), refused(400, 'config'))
  })

  test('are none for the embedded model, and of a stage of which nothing is foretold', async () => {
    await using it = await testStudio()
    for (const one of [stage, 'policy dpok', 'reward train', 'report'] as const) {
      assert.deepEqual(await it.client.presets({ stage: one }), { isReady: true, presets: [], trainedBytes: null })
    }
  })
})
