import assert from 'node:assert/strict'
import { readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { z } from 'zod'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { gaussianModel } from '../policy/gaussian-model.test-helper.ts'
import { useThreads } from '../tensor/library.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { openTrainingImages, trainingImagesFields } from './training-images.ts'

useThreads(1)

const side = 4
const names = Array.from({ length: 7 }, (_, i) => `${i}.png`)

/** A model of pictures of 4 × 4 that come out as they went in, and how many it has encoded. */
function countingModel(overrides: Partial<GenerativeModel> = {}): GenerativeModel & { readonly encoded: number } {
  let encoded = 0
  const inner = gaussianModel()
  return Object.create(inner, {
    stages: { value: [{ ...policyOf(inner), stateShape: [3, side, side] }] },
    imageSize: { value: { width: side, height: side } },
    defaults: { value: { ...inner.defaults, batchSize: 3 } },
    encode: {
      value: (pixels: Tensor) => {
        encoded += pixels.shape[0]
        return { x0: pixels, earlier: [] }
      },
    },
    encoded: { get: () => encoded },
    ...Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, { value }])),
  }) as GenerativeModel & { readonly encoded: number }
}

/** 8 × 4 pixels: red counts the columns, blue is 30 i in image i. */
async function writePictures(folder: string): Promise<void> {
  for (const [i, name] of names.entries()) {
    const bytes = Uint8Array.from({ length: 8 * 4 * 3 }, (_, at) => [Math.floor(at / 3) % 8, 0, 30 * i][at % 3])
    writeFileSync(
      join(folder, name),
      await sharp(bytes, { raw: { width: 8, height: 4, channels: 3 } })
        .png()
        .toBuffer(),
    )
  }
  writeList(folder, names)
}

function writeList(folder: string, files: readonly string[]): void {
  const rows = files.map((name) => `${JSON.stringify({ file_name: name, text: `number ${name}` })}\n`)
  writeFileSync(join(folder, 'metadata.jsonl'), rows.join(''))
}

interface Opening {
  readonly settings?: Partial<z.infer<z.ZodObject<typeof trainingImagesFields>>>
  readonly seed?: number
  readonly model?: GenerativeModel
  readonly said?: string[]
}

function openIn(folder: string, { settings, seed = 3, model = countingModel(), said = [] }: Opening = {}) {
  const config = z.object(trainingImagesFields).parse({ ...settings })
  return openTrainingImages({ ...config, trainDataDir: folder }, model, {
    seed,
    cacheFile: join(folder, 'latents.safetensors'),
    stderr: { write: (text) => said.push(...text.split('\n').filter(Boolean)) },
  })
}

/** Captions and elements of the places from `from` on. */
function drawn({ source }: Awaited<ReturnType<typeof openIn>>, from: number, count: number) {
  using _scope = tensorScope()
  const { x0, captions } = source(from, count)
  assert.deepEqual([...x0.shape], [count, 3, side, side])
  assert.deepEqual([x0.dtype, x0.device], ['float32', 'cpu'])
  const elements = x0.flatten(1).toArray()
  return captions.map((caption, i) => ({ caption, pixels: elements.slice(i * 48, (i + 1) * 48) }))
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'attune-'))
  await writePictures(folder.path)
  await test(folder.path)
}

describe('training images', () => {
  it('come with their captions, each once a pass, in an order of its own', () =>
    inFolder(async (folder) => {
      const source = await openIn(folder)
      const passes = [0, 1, 2, 30].map((pass) => drawn(source, 7 * pass, 7))
      for (const pass of passes) {
        for (const { caption, pixels } of pass) {
          const level = 30 * Number(/\d/.exec(caption)?.[0])
          assert.ok(Math.abs(pixels[32] - (level / 127.5 - 1)) < 1e-5)
        }
        assert.deepEqual(
          pass.map(({ caption }) => caption).sort(),
          names.map((name) => `number ${name}`),
        )
      }
      assert.equal(new Set(passes.map((pass) => pass.map(({ caption }) => caption).join())).size, 4)
      const across = drawn(source, 5, 11)
      assert.deepEqual(across, [...passes[0].slice(5), ...passes[1], ...passes[2].slice(0, 2)])
    }))

  it('have one crop and flip an image, by the seed and its row', () =>
    inFolder(async (folder) => {
      const settings = { randomFlip: true }
      const byCaption = async (opening: Opening) =>
        new Map(drawn(await openIn(folder, opening), 0, 7).map(({ caption, pixels }) => [caption, pixels]))
      const first = await byCaption({ settings })
      assert.deepEqual(await byCaption({ settings }), first)
      assert.notDeepEqual(await byCaption({ settings, seed: 4 }), first)
      /** Column of the upper left pixel; it falls to the right where the image is mirrored. */
      const columns = (all: Map<string, number[]>) => [...all.values()].map(([red]) => Math.round((red + 1) * 127.5))
      const mirrored = [...first.values()].filter(([left, right]) => left > right).length
      assert.ok(mirrored > 0 && mirrored < 7, `${mirrored}`)
      assert.ok(new Set(columns(await byCaption({}))).size > 1)
      assert.deepEqual(
        columns(await byCaption({ settings: { centerCrop: true } })),
        names.map(() => 2),
      )
      writeFileSync(join(folder, '2.png'), 'broken')
      const left = drawn(await openIn(folder, { settings }), 0, 6)
      for (const { caption, pixels } of left) assert.deepEqual(pixels, first.get(caption))
      assert.ok(!left.some(({ caption }) => caption === 'number 2.png'))
    }))

  it('are at most so many, chosen by the seed', () =>
    inFolder(async (folder) => {
      const chosen = async (seed: number) =>
        drawn(await openIn(folder, { seed, settings: { maxTrainSamples: 3 } }), 0, 3)
          .map(({ caption }) => caption)
          .sort()
      const choices = await Promise.all([1, 2, 3, 4].map(chosen))
      for (const choice of choices) assert.equal(new Set(choice).size, 3)
      assert.ok(new Set(choices.map(String)).size > 1)
      assert.deepEqual(await chosen(1), choices[0])
      const model = countingModel()
      await openIn(folder, { model, settings: { maxTrainSamples: 100 } })
      assert.equal(model.encoded, 7)
    }))

  it('leave no tensor behind but the latents', () =>
    inFolder(async (folder) => {
      const model = countingModel()
      const before = livingTensors()
      const source = await openIn(folder, { model })
      assert.ok(livingTensors() <= before + 1)
      drawn(source, 0, 30)
      await openIn(folder, { model })
      assert.ok(livingTensors() <= before + 2)
    }))
})

describe('the file of encoded images', () => {
  it('is read by the next process: nothing is encoded again, and the stream is the same', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, '4.png'), 'broken')
      const first = countingModel()
      const earlier = drawn(await openIn(folder, { model: first }), 3, 20)
      const bytes = readFileSync(join(folder, 'latents.safetensors'))
      const second = countingModel()
      const said: string[] = []
      assert.deepEqual(drawn(await openIn(folder, { model: second, said }), 3, 20), earlier)
      assert.deepEqual([first.encoded, second.encoded], [6, 0])
      assert.deepEqual(said, [])
      assert.deepEqual(readFileSync(join(folder, 'latents.safetensors')), bytes)
    }))

  it('does not hold captions: they may be corrected', () =>
    inFolder(async (folder) => {
      await openIn(folder)
      const file = join(folder, 'metadata.jsonl')
      writeFileSync(file, readFileSync(file, 'utf8').replace('number 5.png', 'five'))
      const model = countingModel()
      const captions = drawn(await openIn(folder, { model }), 0, 7).map(({ caption }) => caption)
      assert.ok(captions.includes('five') && !captions.includes('number 5.png'))
      assert.equal(model.encoded, 0)
    }))

  const changes: Readonly<Record<string, Opening | ((folder: string) => void)>> = {
    'another seed': { seed: 4 },
    'another crop': { settings: { centerCrop: true } },
    flips: { settings: { randomFlip: true } },
    'fewer images': { settings: { maxTrainSamples: 5 } },
    'another model': { model: countingModel({ sha256: 'b'.repeat(64) }) },
    'an image that was changed': (folder) => utimesSync(join(folder, '1.png'), 1, 1),
    'another list': (folder) => writeList(folder, names.toReversed()),
    'a broken file': (folder) => truncateSync(join(folder, 'latents.safetensors'), 500),
    'another file': (folder) => writeFileSync(join(folder, 'latents.safetensors'), 'no tensors'),
  }
  for (const [name, change] of Object.entries(changes)) {
    it(`is made anew for ${name}`, () =>
      inFolder(async (folder) => {
        await openIn(folder)
        const { model = countingModel(), ...opening } = typeof change === 'function' ? (change(folder), {}) : change
        await openIn(folder, { ...opening, model })
        assert.equal((model as ReturnType<typeof countingModel>).encoded, opening.settings?.maxTrainSamples ?? 7)
        const again = countingModel({ sha256: model.sha256 })
        await openIn(folder, { ...opening, model: again })
        assert.equal(again.encoded, 0)
      }))
  }
})

describe('images that cannot be used', () => {
  it('are named, and the others are taken', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, '0.png'), '')
      truncateSync(join(folder, '6.png'), 60)
      writeList(folder, [...names, 'none.png'])
      const said: string[] = []
      const captions = drawn(await openIn(folder, { said }), 0, 5).map(({ caption }) => caption)
      assert.deepEqual(
        captions.sort(),
        [1, 2, 3, 4, 5].map((i) => `number ${i}.png`),
      )
      assert.equal(said.length, 3)
      assert.match(said[0], /^training images: left out metadata\.jsonl:8 file_name: .*none\.png, which is not there/)
      assert.match(said[1], /0\.png: expected a PNG, JPEG or WebP image/)
      assert.match(said[2], /6\.png: expected a PNG, JPEG or WebP image/)
    }))

  it('are an error where nothing else is left', () =>
    inFolder(async (folder) => {
      const expected = (received: string) => ({ code: 'format', where: `--train-data-dir ${folder}`, received })
      for (const name of names) writeFileSync(join(folder, name), 'broken')
      const said: string[] = []
      await assert.rejects(openIn(folder, { said }), expected('7 rows, none of which can be used'))
      assert.equal(said.length, 7)
      writeList(folder, [])
      await assert.rejects(openIn(folder), expected('an empty list'))
    }))
})

it('pictures are of the size that the model draws', () =>
  inFolder(async (folder) => {
    const { encodeFiles } = await import('./encode.ts')
    const { readPictures } = await import('./pictures.ts')
    await assert.rejects(encodeFiles(countingModel(), [join(folder, '1.png')], readPictures), {
      code: 'format',
      received: '8 × 4',
    })
  }))
