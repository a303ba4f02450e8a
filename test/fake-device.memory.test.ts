/** Memory on a device that is none (native/fake/device.cc): a lack of it in the middle of a stage, and what is counted before. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { z } from 'zod'
import { OutOfMemoryError } from '../src/errors.ts'
import { decodeStages, drawStages, samplerOf } from '../src/images/draw.ts'
import { drawnAtOnce } from '../src/images/drawing-memory.ts'
import { openClip } from '../src/networks/clip/clip-encoder.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { Dpok, DpokSettings, dpok } from '../src/policy/algorithms/dpok.ts'
import { Nft, NftSettings, nft } from '../src/policy/algorithms/nft.ts'
import { trainableChange, trainableFields } from '../src/policy/trainable.ts'
import { trainedAtOnce } from '../src/policy/training-memory.ts'
import { ImageRecord } from '../src/records.ts'
import { rememberTexts } from '../src/reward/encoding/text-cache.ts'
import { clipReward } from '../src/reward/kinds/clip-model.ts'
import { withoutGrad } from '../src/tensor/autograd.ts'
import { ones } from '../src/tensor/create.ts'
import { native, useThreads } from '../src/tensor/library.ts'
import { memoryOf } from '../src/tensor/memory.ts'
import { tensorScope } from '../src/tensor/scope.ts'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const gigabytes = 4e9
process.env.ATTUNE_ADDON = path('fake-device/addon.ts')
process.env.FAKE_DEVICE_MEMORY = String(gigabytes)
const { takeMemory } = await import('./fake-device/addon.ts')
useThreads(1)

const fixture = (name: string) => path(`fixtures/stable-diffusion/${name}`)
const device = 'cuda:0'
const reward = clipReward('clip', rememberTexts(openClip(fixture('clip'), { device, dtype: 'float32' })))
const lora = z.object(trainableFields).parse({ parameters: 'lora', rank: 2 })
const isLack = (error: unknown) => error instanceof OutOfMemoryError && error.code === 'memory'

describe('a lack of memory on a device', () => {
  test('is an error of its own, on the way back too, and work goes on after it', () => {
    using _scope = tensorScope()
    const x = ones([64, 64], 'float32', device)
    takeMemory()
    assert.throws(() => x.matmul(x), isLack)
    const leaf = x.requireGrad()
    const sum = leaf.matmul(leaf).exp().sum()
    takeMemory()
    assert.throws(() => sum.backward(), isLack)
    assert.equal(x.matmul(x).sum().item(), 64 ** 3)
    assert.throws(() => ones([1e5, 1e5], 'float32', device), isLack)
  })

  test('is seen before: what tensors hold is not free, until they are gone', () => {
    const { free, total, limit } = memoryOf(device)!
    assert.deepEqual([total, limit], [gigabytes, device])
    {
      using x = ones([1000], 'float32', device)
      using _y = x.add(1)
      assert.equal(memoryOf(device)!.free, free - 8000)
    }
    assert.equal(memoryOf(device)!.free, free)
  })
})

/** Most that tensors hold on the device beside those of before. */
function measured(work: () => void): number {
  const [, , before] = native().deviceMemory(device, true)!
  work()
  return native().deviceMemory(device)![3] - before
}

for (const name of ['sd1', 'sdxl']) {
  describe(`what is counted is what is held, within a twentieth (${name})`, () => {
    const { model } = openStableDiffusion(fixture(name), { device, dtype: 'float32', imageSize: null, tiling: false })
    const sampling = { steps: 3, eta: 1, guidance: 5 }
    const assertClose = (counted: number, found: number) =>
      assert.ok(Math.abs(counted - found) < 0.05 * found, `${counted} counted, ${found} measured`)

    test('of images that are drawn', () => {
      using _scope = tensorScope()
      const requests = [0, 1, 2, 3].map((index) => ({ text: '', seed: 0, index }))
      const draw = () => withoutGrad(() => decodeStages(model, drawStages(model, requests, sampling)))
      draw()
      assertClose(
        withoutGrad(() => drawnAtOnce(model, sampling, 4, 4)[0].bytes(4, false)),
        measured(draw),
      )
    })

    test('of a training by DPOK', () => {
      using _scope = tensorScope()
      const given = {
        ...{ model, reward, seed: 3, trainable: trainableChange(model, lora, 1) },
        settings: DpokSettings.parse({
          ...{ batchSize: 4, transitionsAtOnce: 4, rolloutsPerIteration: 4, imagesDrawn: 8, ignoreRounding: true },
          ...{ transitionsPerRollout: 2, gradientSteps: 2, valueUpdates: 1 },
        }),
      }
      const trainer = new Dpok({
        ...{ ...given, texts: ['a red apple'], guidance: sampling.guidance },
        sampler: samplerOf(model, sampling),
      })
      trainer.step()
      const found = measured(() => trainer.step())
      const counted = trainedAtOnce(dpok, given, sampling).map((setting) => setting.bytes(4, false))
      assertClose(Math.max(...counted), found)
    })

    test('of a training by DiffusionNFT', () => {
      using _scope = tensorScope()
      const given = {
        ...{ model, reward, seed: 3, trainable: trainableChange(model, lora, 1) },
        settings: NftSettings.parse({
          ...{ batchSize: 4, noisyAtOnce: 4, rolloutsPerIteration: 4, groupSize: 2, imagesDrawn: 8, timesPerImage: 2 },
        }),
      }
      const trainer = new Nft({
        ...{ ...given, texts: ['a red apple'], guidance: sampling.guidance },
        sampler: samplerOf(model, sampling),
      })
      trainer.step()
      const found = measured(() => trainer.step())
      const counted = trainedAtOnce(nft, given, sampling).map((setting) => setting.bytes(4, false))
      assertClose(Math.max(...counted), found)
    })
  })
}

describe('a stage that runs out of memory in the middle', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'attune-memory-'))
  const at = (...names: string[]) => join(temporary, ...names)
  after(() => rmSync(temporary, { recursive: true, force: true }))

  function runs(commands: readonly string[], takenAfter?: string) {
    const words = [path('fake-device/commands.ts'), JSON.stringify(commands)]
    const env = { ...process.env, ...(takenAfter !== undefined && { FAKE_DEVICE_TAKEN_AFTER: at(takenAfter) }) }
    return spawnSync(process.execPath, words, { cwd: temporary, encoding: 'utf8', env })
  }
  function works(commands: readonly string[]): void {
    const { status, stderr } = runs(commands)
    assert.equal(status, 0, stderr)
  }
  /** Ends for lack of memory as soon as the file is there; the run can go on. @returns what is said last */
  function lacks(command: string, file: string): string {
    const { status, stderr } = runs([command], file)
    assert.equal(status, 2, stderr)
    const last = stderr.trim().split('\n').at(-1)!
    assert.match(
      last,
      /^(images generate|policy [a-z-]+) on cuda:0: expected enough memory for --[^,]*, received \S+: out of memory: /,
    )
    assert.match(last, / — the run is kept, go on with --resume: /)
    assert.match(
      last,
      /; or begin anew with a smaller --resolution, --mixed-precision bf16 or a device with more memory$/,
    )
    assert.deepEqual([existsSync(at(file)), existsSync(at(dirname(file), 'manifest.json'))], [true, false])
    return last
  }
  /** The flags that an error says would fit, each way with its bytes. */
  const waysOf = (said: string) =>
    [...said.split(' --resume: ')[1].matchAll(/(--[^(]*) \((\d+\.\d) MB\)/g)].map(([, flags, megabytes]) => {
      assert.ok(Number(megabytes) > 0, said)
      return flags
    })
  const json = (...names: string[]) => JSON.parse(readFileSync(at(...names), 'utf8')) as Record<string, unknown>
  const changesOf = (run: string) =>
    json(run, 'manifest.json').results as { settingsChanges?: { step: number; changed: object }[] }

  const model = 'sd1'
  const place = `--model ${model} --device cuda --threads 1 --mixed-precision no`
  const drawn = `images generate --prompts prompts.txt --per-prompt 4 --steps 3 ${place}`
  const dpokRun = `policy dpok --prompts prompts.txt --reward reward --images-drawn 12 --rollouts-per-iteration 4 --transitions-per-rollout 2 --gradient-steps 2 --value-updates 2 --checkpoint-every 1 --rank 2 --steps 3 ${place}`
  const weightedRun = `policy reward-weighted --images images --reward reward --train-data-dir photos --updates 3 --batch-size 4 --checkpoint-every 1 --rank 2 ${place}`

  before(async () => {
    for (const checkpoint of [model, 'clip']) cpSync(fixture(checkpoint), at(checkpoint), { recursive: true })
    writeFileSync(at('prompts.txt'), 'a red apple on a table\nfour wolves in the park\n')
    mkdirSync(at('photos'))
    await sharp({ create: { width: 24, height: 16, channels: 3, background: '#408060' } }).toFile(at('photos', 'a.png'))
    writeFileSync(at('photos', 'metadata.jsonl'), '{"file_name":"a.png","text":"a photo"}\n')
    works([`${drawn} --out images`])
    const lines = readFileSync(at('images', 'images.jsonl'), 'utf8').trim().split('\n')
    const answers = lines.map((line, i) => `${ImageRecord.parse(JSON.parse(line)).id},${i % 3 === 0 ? 'good' : 'bad'}`)
    writeFileSync(at('labels.csv'), `image,answer\n${answers.join('\n')}\n`)
    works([
      'feedback import --feedback feedback.sqlite --images images --labels labels.csv --rater ada',
      'reward train --feedback feedback.sqlite --encoder clip --epochs 2 --held-out 0.5 --device cuda --threads 1 --mixed-precision no --out reward',
    ])
  })

  test('images generate: half of what was drawn at once, and the images that were drawn stay', () => {
    const command = `${drawn} --batch-size 2 --out lacking`
    const ways = waysOf(lacks(command, 'lacking/images.jsonl'))
    assert.deepEqual(ways, ['--batch-size 1'])
    const first = readFileSync(at('lacking', 'images.jsonl'), 'utf8')
    works([`${command.replace(/ --batch-size 2/, '')} --resume ${ways[0]}`])
    assert.equal(readFileSync(at('lacking', 'images.jsonl'), 'utf8').slice(0, first.length), first)
    assert.ok(existsSync(at('lacking', 'manifest.json')))
  })

  test('policy dpok: no more than there are, half of it, and what was chosen stays on --resume', () => {
    const command = `${dpokRun} --out dpok`
    const ways = waysOf(lacks(command, 'dpok/checkpoint.safetensors'))
    const less = '--batch-size 2 --transitions-at-once 2'
    assert.deepEqual(ways, [less, `${less} --gradient-checkpointing`])
    const chosen = { batchSize: 4, transitionsAtOnce: 4 }
    const settings = (run: string) => {
      const { batchSize, transitionsAtOnce } = json(run, 'config.json')
      return { batchSize, transitionsAtOnce }
    }
    assert.deepEqual(settings('dpok'), chosen)
    for (const copy of ['kept', 'checkpoints']) cpSync(at('dpok'), at(copy), { recursive: true })
    works([
      `${command} --resume ${ways[0]}`,
      `${dpokRun} --out checkpoints --resume ${ways[1]}`,
      `${dpokRun} --out kept --resume`,
    ])
    assert.deepEqual(settings('dpok'), { batchSize: 2, transitionsAtOnce: 2 })
    assert.deepEqual(settings('kept'), chosen)
    assert.deepEqual(
      changesOf('dpok').settingsChanges?.map(({ changed }) => changed),
      [{ batchSize: [4, 2], transitionsAtOnce: [4, 2] }],
    )
    assert.equal(changesOf('kept').settingsChanges, undefined)
  })

  test('policy reward-weighted: more parts of a batch', () => {
    const command = `${weightedRun} --out weighted`
    const ways = waysOf(lacks(command, 'weighted/metrics.jsonl'))
    const parts = '--gradient-accumulation-steps 2'
    assert.deepEqual(ways, [parts, `${parts} --gradient-checkpointing`])
    works([`${command} --resume ${ways[1]}`])
    assert.equal(json('weighted', 'config.json').gradientAccumulationSteps, 2)
  })
})
