/** Devices through the HTTP interface: what is told of them, what a form offers, and what a job may ask for. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { devicesOf } from '../devices/devices.ts'
import type { SettingValue } from '../schemas/jobs.ts'
import { refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

/** Nothing begins: the queue is looked at by its timer and by additions, and all devices are taken. */
const realModel = { model: 'owner/photos', devices: devicesOf(null, 1, 3) }
const prompts = ['a cat']

const fieldsOf = async ({ client }: TestStudio, stage: string) => {
  const form = (await client.stages()).stages.find((one) => one.stage === stage)!
  const isOne = ({ field }: { field: string }) => field === 'device' || field === 'workers'
  return { main: form.main.filter(isOne), more: form.more.filter(isOne) }
}
const draw = ({ client }: TestStudio, settings: Record<string, SettingValue>) =>
  client.startJob({ stage: 'images generate', settings: { prompts, ...settings } })

describe('a machine without a GPU', () => {
  test('tells of its CPU, live, and of the job that has it', async () => {
    await using it = await testStudio()
    const ask = async () => (await it.client.devices()).devices
    const [cpu, ...others] = await ask()
    assert.deepEqual([cpu.id, cpu.isGpu, cpu.slots, cpu.jobs, cpu.waiting, others.length], ['cpu', false, 1, [], [], 0])
    assert.match(cpu.name ?? '', /\d+ cores?$/)
    assert.ok(cpu.memory!.usedBytes > 0 && cpu.memory!.usedBytes < cpu.memory!.totalBytes)
    const settings = { perPrompt: 2000, prompts: ['two red circles'] }
    const [a, b] = [await draw(it, settings), await draw(it, settings)]
    const [busy] = await ask()
    assert.deepEqual([busy.jobs, busy.waiting], [[a.id], [b.id]])
    assert.deepEqual([a.devices, a.wanted, b.devices, b.wanted, b.ahead], [['cpu'], 1, ['cpu'], 1, 1])
    assert.deepEqual((await it.client.state()).next.why, [{ kind: 'being-made', run: a.run }])
  })

  test('offers it alone, and processes that share its cores', async () => {
    await using it = await testStudio()
    const { main, more } = await fieldsOf(it, 'images generate')
    assert.deepEqual(
      [main.length, ...more.map(({ field, type, default: usual, max }) => [field, type, usual, max])],
      [0, ['device', 'choice', null, null], ['workers', 'integer', null, availableParallelism()]],
    )
    assert.deepEqual(more[0].choices, [{ value: 'cpu', label: 'CPU' }])
    const settings = { prompts: ['two red circles'] }
    for (const device of ['cuda:0', 'cuda', '', 'CPU', ['cpu'], 3, true]) {
      await assert.rejects(draw(it, { ...settings, device }), refused(400, 'config'), JSON.stringify(device))
    }
    for (const workers of [0, -1, 1.5, availableParallelism() + 1, '2', [2]]) {
      await assert.rejects(draw(it, { ...settings, workers }), refused(400, 'config'), JSON.stringify(workers))
    }
    const { id, settings: kept } = await draw(it, { ...settings, device: 'cpu', workers: 1 })
    assert.deepEqual([kept.device, kept.workers], ['cpu', 1])
    assert.deepEqual([it.studio.queue.get(id).devices, it.studio.queue.get(id).workers], [['cpu'], 1])
  })
})

describe('a machine with GPUs', () => {
  test('offers one, several for what can be shared, or the first that is free', async () => {
    await using it = await testStudio(realModel)
    const { main } = await fieldsOf(it, 'images generate')
    assert.deepEqual(
      main.map(({ field, type, label }) => [field, type, label]),
      [
        ['device', 'choices', 'Devices'],
        ['workers', 'integer', 'Workers'],
      ],
    )
    assert.deepEqual(
      main[0].choices.map(({ value }) => value),
      ['cuda:0', 'cuda:1', 'cuda:2', 'cpu'],
    )
    const { devices } = await it.client.devices()
    assert.deepEqual(
      devices.map(({ id, isGpu, slots }) => [id, isGpu, slots]),
      [
        ['cuda:0', true, 1],
        ['cuda:1', true, 1],
        ['cuda:2', true, 1],
        ['cpu', false, 1],
      ],
    )
  })

  test('refuses what does not go together, and remembers what was asked for', async () => {
    await using it = await testStudio(realModel)
    for (const [settings, told] of [
      [{ device: ['cuda:0', 'cpu'] }, /Devices: expected the CPU, or GPUs/],
      [{ device: ['cuda:0', 'cuda:0'] }, /Devices: expected/],
      [{ device: ['cuda:3'] }, /Devices: expected one of cuda:0, cuda:1, cuda:2, cpu, several GPUs, or nothing/],
      [{ device: [] }, /Devices: expected/],
      [{ device: ['cuda:0', 'cuda:1'], workers: 3 }, /Workers: expected 2, one for each device/],
      [{ device: ['cuda:0'], workers: 2 }, /Workers: expected 1, one for each device/],
      [{ workers: 4 }, /Workers: expected/],
    ] as const) {
      await assert.rejects(draw(it, settings as never), told, JSON.stringify(settings))
    }
    assert.deepEqual((await it.client.jobs()).jobs, [], 'nothing was queued')
    for (const [settings, devices, workers, device] of [
      [{}, null, 1, undefined],
      [{ workers: 3 }, null, 3, undefined],
      [{ device: 'cuda:1' }, ['cuda:1'], 1, 'cuda'],
      [{ device: ['cuda:2', 'cuda:0'] }, ['cuda:2', 'cuda:0'], 2, 'cuda'],
      [{ device: ['cpu'], workers: 2 }, ['cpu'], 2, 'cpu'],
    ] as const) {
      const { id } = await draw(it, settings as never)
      const job = it.studio.queue.get(id)
      assert.deepEqual([job.devices, job.workers], [devices, workers])
      const config = await import(it.studio.workspace.at('jobs', id, 'config.json'), { with: { type: 'json' } })
      const { default: told } = config as { default: Record<string, unknown> }
      assert.deepEqual([told.device, 'workers' in told], [device, false])
      it.studio.queue.stop(id)
    }
  })

  test('shows the load of the CPU where it takes no jobs', async () => {
    await using it = await testStudio({ ...realModel, devices: devicesOf(['cuda:1'], 1, 2) })
    const { devices } = await it.client.devices()
    assert.deepEqual(
      devices.map(({ id, slots, memory }) => [id, slots, memory === null]),
      [
        ['cuda:1', 1, true],
        ['cpu', 0, false],
      ],
    )
    const { more } = await fieldsOf(it, 'report')
    assert.deepEqual(more[0].choices, [{ value: 'cuda:1', label: 'cuda:1' }])
  })
})

test('a double click gives two jobs no common name, and no common run folder', async () => {
  await using it = await testStudio()
  const start = () =>
    it.client.startJob({ stage: 'images generate', run: 'mine', settings: { prompts: ['two red circles'] } })
  const ended = await Promise.allSettled([start(), start(), start()])
  assert.deepEqual(ended.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  for (const run of ['mine', 'compare-1-1', 'import-1', 'upload-7']) {
    await assert.rejects(it.client.startJob({ stage: 'images generate', run }), refused(409, 'name-taken'), run)
  }
})
