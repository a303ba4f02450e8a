/** Which devices a studio has, what its jobs see of them, and what nvidia-smi tells. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError } from '../../errors.ts'
import { StudioConfig, startStudio } from '../start-studio.ts'
import { DeviceFigures, gpusOf } from './device-figures.ts'
import { deviceEnvironment, devicesOf, findGpus, visibleName } from './devices.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-devices-'))
const { PATH, CUDA_VISIBLE_DEVICES } = process.env
after(() => {
  rmSync(folder, { recursive: true, force: true })
  process.env.PATH = PATH
  if (CUDA_VISIBLE_DEVICES === undefined) delete process.env.CUDA_VISIBLE_DEVICES
})

test('a studio has all devices, or those that it may use, the GPUs first', () => {
  const ids = (...given: Parameters<typeof devicesOf>) => devicesOf(...given).map(({ id, slots }) => `${id} ${slots}`)
  assert.deepEqual(ids(null, 1, 0), ['cpu 1'])
  assert.deepEqual(ids(null, 3, 2), ['cuda:0 1', 'cuda:1 1', 'cpu 3'])
  assert.deepEqual(ids(['cpu', 'cuda:1', 'cuda:1'], 1, 2), ['cuda:1 1', 'cpu 1'])
  assert.throws(() => devicesOf(['cuda:2'], 1, 2), /--devices: expected some of cuda:0, cuda:1, cpu, received cuda:2/)
})

test('what is no device is refused before anything is opened', async () => {
  for (const devices of [[], ['gpu'], ['cuda'], ['cuda:-1'], ['']]) {
    assert.ok(!StudioConfig.safeParse({ devices }).success, JSON.stringify(devices))
  }
  for (const cpuJobs of [0, -1, 1.5]) assert.ok(!StudioConfig.safeParse({ cpuJobs }).success)
  const workspace = join(folder, 'studio')
  const start = (devices: string[], gpus: number) =>
    startStudio(StudioConfig.parse({ workspace, port: 0, devices }), { count: gpus, note: null })
  await assert.rejects(start(['cuda:0'], 0), ConfigError)
  await assert.rejects(start(['cuda:0'], 1), /--devices: expected the CPU among them/)
})

test('GPUs are counted without loading libtorch here', async () => {
  assert.ok((await findGpus()).count >= 0)
})

test('a job sees the GPUs that it has and no other, also where this process sees some of them only', () => {
  delete process.env.CUDA_VISIBLE_DEVICES
  assert.equal(deviceEnvironment(['cuda:1', 'cuda:3']).CUDA_VISIBLE_DEVICES, '1,3')
  assert.equal(deviceEnvironment(['cpu']).CUDA_VISIBLE_DEVICES, '')
  assert.equal(deviceEnvironment(['cuda:1']).CUDA_DEVICE_ORDER, 'PCI_BUS_ID')
  process.env.CUDA_VISIBLE_DEVICES = '4, GPU-8f6d'
  assert.deepEqual(
    ['cuda:0', 'cuda:1'].map((id) => visibleName(id)),
    ['4', 'GPU-8f6d'],
  )
  assert.equal(deviceEnvironment(['cuda:1', 'cuda:0']).CUDA_VISIBLE_DEVICES, 'GPU-8f6d,4')
})

const lines = [
  '0, GPU-11aa, NVIDIA H100 80GB HBM3, 97, 61000, 81559',
  '4, GPU-22bb, NVIDIA GB10, [N/A], [N/A], [N/A]',
  '5, GPU-8f6d-33cc, NVIDIA H100 80GB HBM3, 0, 4, 81559',
]

test('what nvidia-smi tells is read, and what it does not tell is nothing', () => {
  const [first, second, third, ...others] = gpusOf(`${lines.join('\n')}\nNVIDIA-SMI has failed\n`)
  assert.deepEqual(
    [first.name, first.busy, first.memory],
    ['NVIDIA H100 80GB HBM3', 0.97, { usedBytes: 61000 * 2 ** 20, totalBytes: 81559 * 2 ** 20 }],
  )
  assert.deepEqual([second.name, second.busy, second.memory], ['NVIDIA GB10', null, null])
  assert.deepEqual([third.busy, others.length], [0, 0])
})

test('a GPU is found by its number on the machine or its identity, and is unknown where nothing tells', async () => {
  process.env.CUDA_VISIBLE_DEVICES = '4,GPU-8f6d'
  process.env.PATH = folder
  const nothing = { name: null, busy: null, memory: null }
  assert.deepEqual(await new DeviceFigures().of('cuda:0'), nothing)
  const program = join(folder, 'nvidia-smi')
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}\n`)
  chmodSync(program, 0o755)
  process.env.PATH = `${folder}${delimiter}${PATH}`
  const figures = new DeviceFigures()
  const of = async (id: string) => (await figures.of(id)).name
  assert.deepEqual(await Promise.all(['cuda:0', 'cuda:1'].map(of)), ['NVIDIA GB10', 'NVIDIA H100 80GB HBM3'])
  assert.equal((await figures.of('cuda:1')).busy, 0)
})
