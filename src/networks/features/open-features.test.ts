import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { FileError, FormatError } from '../../errors.ts'
import { pixelsOf } from '../../images/png.ts'
import { zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { assertNear, expectedOf, fixtures as diffusionFixtures, weightsOf } from '../clip/fixture.test-helper.ts'
import { Dinov2Config } from './dinov2-config.ts'
import { dinov2Features } from './dinov2.ts'
import { inceptionName } from './inception.ts'
import { checkFeatures, openFeatures } from './open-features.ts'
import { resizeLikeTensorFlow1 } from './resize.ts'

useThreads(1)

const fixtures = fileURLToPath(new URL('../../../test/fixtures/features/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-features-'))
after(() => rmSync(folder, { recursive: true }))

const inception = join(fixtures, 'inception.safetensors')
const clip = join(diffusionFixtures, 'clip')
const expected = (name: string) => readSafetensors(join(fixtures, `expected-${name}.safetensors`)).tensors
/** Bytes [H, W, 3] as pixels [1, 3, H, W]. */
const pixels = (image: Tensor) =>
  pixelsOf([{ bytes: new Uint8Array(image.toBytes()), height: image.shape[0], width: image.shape[1] }])
const change = (file: string, to: string, edit: (tensors: Map<string, Tensor>) => void) => {
  using _scope = tensorScope()
  const { tensors } = readSafetensors(file)
  edit(tensors)
  writeSafetensors(to, tensors)
  return to
}
const refuses = (name: string, where: RegExp, more = /./) =>
  withoutLeak(() =>
    assert.throws(
      () => checkFeatures(name),
      (error) => error instanceof FormatError && where.test(error.where) && more.test(error.message),
    ),
  )

describe('Inception-v3 of the FID', () => {
  it('gives the features of torch-fidelity, whatever the size of the image', () => {
    const space = openFeatures(inception, 'cpu')
    withoutLeak(() => {
      const all = expected('inception')
      for (const i of [0, 1]) {
        const image = all.get(`image.${i}`)!
        const levels = image.permute(2, 0, 1).unsqueeze(0).to('float32')
        const every23rd = Array.from({ length: 13 }, (_, place) => 23 * place)
        const resized = resizeLikeTensorFlow1(levels, 299).toArray()
        const kept = every23rd.flatMap((row) => every23rd.map((column) => resized[row * 299 + column]))
        const theirs = all.get(`resized.${i}`)!.toArray().slice(0, kept.length)
        kept.forEach((level, place) => assert.ok(Math.abs(level - theirs[place]) < 1e-3))
        assertNear(space.features(pixels(image)), all.get(`features.${i}`)!, 1e-5)
      }
    })
  })

  it('reads the names of pytorch-fid’s class as well', () => {
    const lists = [
      ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3'],
      ['Conv2d_3b_1x1', 'Conv2d_4a_3x3'],
      ['Mixed_5b', 'Mixed_5c', 'Mixed_5d', 'Mixed_6a', 'Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e'],
      ['Mixed_7a', 'Mixed_7b', 'Mixed_7c'],
    ]
    const listed = new Map(lists.flatMap((list, l) => list.map((name, n) => [name, `blocks.${l}.${n}`] as const)))
    const file = change(inception, join(folder, 'listed.safetensors'), (tensors) => {
      for (const [key, each] of [...tensors]) {
        const [block, ...rest] = key.split('.')
        tensors.delete(key)
        tensors.set([listed.get(block), ...rest].join('.'), each)
        assert.equal(inceptionName([listed.get(block), ...rest].join('.')), key)
      }
    })
    const { network, width, resize } = checkFeatures(file)
    assert.deepEqual([network, width], ['Inception-v3 of the FID', 128])
    assert.match(resize, /299 × 299.*not antialiased/)
  })

  it('takes a classifier beside the features, and refuses torchvision’s network', () => {
    const withClasses = (classes: number) =>
      change(inception, join(folder, `classes-${classes}.safetensors`), (tensors) =>
        tensors.set('fc.weight', zeros([classes, 128])).set('fc.bias', zeros([classes])),
      )
    assert.equal(checkFeatures(withClasses(1008)).width, 128)
    refuses(withClasses(1000), /fc\.weight/, /torchvision/)
    const auxiliary = change(inception, join(folder, 'auxiliary.safetensors'), (tensors) =>
      tensors.set('AuxLogits.conv0.conv.weight', zeros([8, 48, 1, 1])),
    )
    refuses(auxiliary, /AuxLogits/, /torchvision/)
  })

  it('refuses tensors of other shapes, missing ones and further ones by their names', () => {
    const key = 'Mixed_6c.branch7x7_2.conv.weight'
    const edited = (name: string, edit: (tensors: Map<string, Tensor>) => void) =>
      change(inception, join(folder, `${name}.safetensors`), edit)
    refuses(
      edited('turned', (tensors) => tensors.set(key, tensors.get(key)!.transpose(2, 3))),
      new RegExp(`${key}$`),
    )
    refuses(
      edited('missing', (tensors) => tensors.delete(key)),
      new RegExp(`${key}$`),
    )
    refuses(
      edited('more', (tensors) => tensors.set('head.weight', zeros([2]))),
      /head\.weight$/,
    )
    const broken = edited('broken', (tensors) => tensors.set(key, tensors.get(key)!.mul(NaN)))
    withoutLeak(() => assert.throws(() => openFeatures(broken, 'cpu'), FormatError))
  })
})

describe('DINOv2', () => {
  for (const name of ['dinov2', 'dinov2-swiglu']) {
    it(`gives the class token of transformers, of an image of any size: ${name}`, () => {
      const space = openFeatures(join(fixtures, name), 'cpu')
      withoutLeak(() => {
        const all = expected('dinov2')
        const { tensors } = readSafetensors(join(fixtures, name, 'model.safetensors'))
        const config = Dinov2Config.parse(JSON.parse(readFileSync(join(fixtures, name, 'config.json'), 'utf8')))
        const weights = weightsOf(`../features/${name}`)
        assert.equal(weights.tensors().size, tensors.size)
        assertNear(
          dinov2Features(weights, config, all.get('own.pixel_values')!),
          all.get(`${name}.own.features`)!,
          1e-5,
        )
        for (const i of [0, 1]) {
          const [values, theirs] = [all.get(`${name}.pixel_values.${i}`)!, all.get(`${name}.features.${i}`)!]
          assertNear(dinov2Features(weights, config, values), theirs, 1e-5)
          // A level of 255 rounds to the next one here and there.
          assertNear(space.features(pixels(all.get(`image.${i}`)!)), theirs, 0.05)
        }
      })
    })
  }

  it('says how images are resized, as the processor of the checkpoint has it', () => {
    const { network, width, resize, sha256 } = checkFeatures(join(fixtures, 'dinov2'))
    assert.deepEqual([network, width], ['the class token of DINOv2', 24])
    assert.equal(resize, 'shorter side 96, bicubic and antialiased, 84 × 84 cut around the centre')
    assert.match(sha256, /^[0-9a-f]{64}$/)
  })

  it('needs a config where a width does not tell the heads', () => {
    const alone = join(folder, 'alone.safetensors')
    cpSync(join(fixtures, 'dinov2', 'model.safetensors'), alone)
    refuses(alone, /alone/, /config\.json/)
  })

  it('refuses a config of other shapes by the name of the tensor, before anything is read', () => {
    const other = join(folder, 'other')
    cpSync(join(fixtures, 'dinov2'), other, { recursive: true })
    const config = JSON.parse(readFileSync(join(other, 'config.json'), 'utf8')) as Record<string, unknown>
    const write = (more: Record<string, unknown>) =>
      writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, ...more }))
    write({ image_size: 140_000 })
    refuses(other, /position_embeddings$/)
    write({ mlp_ratio: 4 })
    refuses(other, /mlp\.fc1\.weight$/)
    write({ num_attention_heads: 5 })
    refuses(other, /num_attention_heads/)
    write({ num_hidden_layers: 1 })
    refuses(other, /encoder\.layer\.1\./)
    write({})
    writeFileSync(join(other, 'preprocessor_config.json'), JSON.stringify({ size: 1e6, crop_size: 1e6 }))
    refuses(other, /preprocessor_config\.json/)
  })
})

describe('CLIP’s image tower', () => {
  it('gives the projected features of transformers, not normalised', () => {
    const space = openFeatures(clip, 'cpu')
    withoutLeak(() => {
      const theirs = expectedOf('clip')
      for (const i of [0, 1, 2]) {
        const row = theirs('clip.image_features').slice(0, i, i + 1)
        assertNear(space.features(pixels(theirs(`clip.image.${i}`))), row, 0.01)
      }
    })
  })

  it('is read alone as well', () => {
    const tower = join(folder, 'tower')
    mkdirSync(tower)
    const config = JSON.parse(readFileSync(join(clip, 'config.json'), 'utf8')) as { vision_config: object }
    const write = (name: string) =>
      writeFileSync(join(tower, 'config.json'), JSON.stringify({ ...config.vision_config, architectures: [name] }))
    write('CLIPVisionModelWithProjection')
    const whole = change(join(clip, 'model.safetensors'), join(tower, 'model.safetensors'), (tensors) => {
      for (const key of tensors.keys()) if (!key.startsWith('vis')) tensors.delete(key)
    })
    assert.equal(checkFeatures(tower).width, 16)
    write('CLIPVisionModel')
    refuses(tower, /visual_projection\.weight$/)
    change(whole, whole, (tensors) => {
      tensors.delete('visual_projection.weight')
      for (const [key, each] of [...tensors]) {
        tensors.delete(key)
        tensors.set(key.replace('vision_model.', ''), each)
      }
    })
    assert.equal(checkFeatures(whole).width, 24)
  })
})

describe('what is no network of features', () => {
  it('is named', () => {
    const other = join(folder, 'lora.safetensors')
    withoutLeak(() => writeSafetensors(other, new Map([['unet.a.lora_A.weight', zeros([2, 2])]])))
    refuses(other, /lora\.safetensors$/, /a LoRA/)
    refuses(join(fixtures, 'owlvit'), /owlvit$/)
    const pickle = join(folder, 'inception.pth')
    writeFileSync(pickle, 'PK')
    assert.throws(() => checkFeatures(pickle), FileError)
    assert.throws(() => checkFeatures(join(folder, 'nothing')), FileError)
    const two = join(folder, 'two')
    mkdirSync(two)
    for (const name of ['a', 'b']) cpSync(other, join(two, `${name}.safetensors`))
    assert.throws(() => checkFeatures(two), { name: 'FileError', message: /a\.safetensors, b\.safetensors/ })
  })
})
