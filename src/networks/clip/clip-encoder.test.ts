import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { FileError, FormatError } from '../../errors.ts'
import { cat, randn, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useTf32, useThreads } from '../../tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { openClip } from './clip-encoder.ts'
import { assertNear, distance, expectedOf, fixtures, readJson } from './fixture.test-helper.ts'

useThreads(1)

const source = join(fixtures, 'clip')
const scratch = mkdtempSync(join(tmpdir(), 'attune-clip-'))
after(() => rmSync(scratch, { recursive: true }))

const onCpu = { dtype: 'float32', device: 'cpu' } as const
const clip = openClip(source, onCpu)
const { prompts } = readJson('prompts.json') as { prompts: readonly string[] }
const pixelsOf = (bytes: Tensor) => bytes.to('float32').div(127.5).sub(1).permute(2, 0, 1).unsqueeze(0)

/** A copy of the checkpoint with changes in its tensors, or in fields of its JSON files. */
function changed(change: {
  readonly tensors?: (tensors: Map<string, Tensor>) => void
  readonly json?: Readonly<Record<string, (fields: Record<string, never>) => unknown>>
}): string {
  const folder = mkdtempSync(join(scratch, 'copy-'))
  cpSync(source, folder, { recursive: true })
  if (change.tensors !== undefined) {
    using _scope = tensorScope()
    const { tensors } = readSafetensors(join(source, 'model.safetensors'))
    change.tensors(tensors)
    writeSafetensors(join(folder, 'model.safetensors'), tensors)
  }
  for (const [file, edit] of Object.entries(change.json ?? {})) {
    const fields = readJson(`clip/${file}`) as Record<string, never>
    writeFileSync(join(folder, file), JSON.stringify({ ...fields, ...(edit(fields) as object) }))
  }
  return folder
}

describe('a CLIPModel', () => {
  it('says what it is', () => {
    assert.equal(clip.name, source)
    assert.equal(clip.width, 16)
    assert.equal(clip.device, 'cpu')
    assert.match(clip.sha256, /^[0-9a-f]{64}$/)
    assert.ok(Math.abs(clip.logitScale - Math.exp(2.6592)) < 1e-5)
  })

  it('lets a GPU compute in TF32 while it embeds and no longer, and a CPU gives the same with it', () => {
    const loose = openClip(source, { ...onCpu, tf32: true })
    withoutLeak(() => {
      const before = useTf32()
      const pixels = randn([1, 3, 40, 40], new Generator(1))
      assert.deepEqual(loose.embedImages(pixels).toArray(), clip.embedImages(pixels).toArray())
      assert.deepEqual(loose.embedTexts(prompts).toArray(), clip.embedTexts(prompts).toArray())
      assert.throws(() => loose.embedImages(randn([1, 2, 8, 8], new Generator(1))))
      assert.equal(useTf32(), before)
    })
  })

  it('embeds as transformers does: texts exactly, pictures but for the last bit of a few bytes', () => {
    withoutLeak(() => {
      const expected = expectedOf('clip')
      const images = cat([0, 1, 2].map((i) => clip.embedImages(pixelsOf(expected(`clip.image.${i}`)))))
      const texts = clip.embedTexts(prompts)
      assertNear(texts, expected('clip.text_embeds'), 1e-5)
      assertNear(images, expected('clip.image_embeds'), 2e-4)
      const logits = images.matmul(texts.transpose(0, 1)).mul(clip.logitScale)
      assertNear(logits, expected('clip.logits_per_image'), 2e-3)
      // The second picture has the same bytes after resizing.
      assertNear(logits.slice(0, 1, 2), expected('clip.logits_per_image').slice(0, 1, 2), 1e-4)
    })
  })

  it('embeds each image and each text as if it were alone', () => {
    withoutLeak(() => {
      const pixels = randn([34, 3, 20, 28], new Generator(1)).clamp(-1, 1)
      const together = clip.embedImages(pixels)
      const texts = Array.from({ length: 34 }, (_, i) => 'a red apple '.repeat(i))
      const textsTogether = clip.embedTexts(texts)
      assert.deepEqual([together.shape, textsTogether.shape], [[34, 16], [34, 16]]) // prettier-ignore
      for (const i of [0, 31, 33]) {
        assertNear(clip.embedImages(pixels.slice(0, i, i + 1)), together.slice(0, i, i + 1), 1e-6)
        assertNear(clip.embedTexts([texts[i]]), textsTogether.slice(0, i, i + 1), 1e-6)
      }
    })
  })

  it('gives unit vectors in float32 whatever it computes in', () => {
    const half = openClip(source, { dtype: 'bfloat16', device: 'cpu' })
    assert.equal(half.logitScale, clip.logitScale)
    assert.equal(half.sha256, clip.sha256)
    withoutLeak(() => {
      const [exact, rounded] = [clip, half].map((one) => one.embedTexts(prompts))
      assert.equal(rounded.dtype, 'float32')
      for (const square of rounded.square().sum(1).toArray()) assert.ok(Math.abs(square - 1) < 1e-6)
      assert.ok(distance(rounded, exact) < 0.02)
    })
  })

  it('needs no preprocessor_config.json, and no names of positions', () => {
    const folder = changed({
      tensors: (tensors) => {
        for (const tower of ['text_model', 'vision_model']) {
          tensors.set(`${tower}.embeddings.position_ids`, tensor([0, 1], [1, 2], 'int64'))
        }
      },
    })
    rmSync(join(folder, 'preprocessor_config.json'))
    const other = openClip(folder, onCpu)
    withoutLeak(() => {
      const pixels = randn([1, 3, 40, 40], new Generator(1))
      assert.equal(distance(other.embedImages(pixels), clip.embedImages(pixels)), 0)
    })
  })
})

describe('a folder that is no sound CLIPModel is refused:', () => {
  const refused = (folder: string, complaint: { where: string; expected?: RegExp; received: string }) => {
    const before = livingTensors()
    assert.throws(
      () => openClip(folder, onCpu),
      (error) => {
        assert.ok(error instanceof FormatError)
        assert.equal(error.where, join(folder, complaint.where))
        if (complaint.expected !== undefined) assert.match(error.expected, complaint.expected)
        assert.equal(error.received, complaint.received)
        assert.ok(!error.message.includes('\n'))
        return true
      },
    )
    // Fewer where the garbage of earlier tests was collected meanwhile.
    assert.ok(livingTensors() <= before)
  }

  it('none', () => {
    assert.throws(() => openClip(join(scratch, 'nowhere'), onCpu), FileError)
  })

  it('a missing tensor, one of another shape, one too many', () => {
    const [missing, other] = ['vision_model.pre_layrnorm.weight', 'text_projection.weight']
    const without = changed({ tensors: (tensors) => tensors.delete(missing) })
    refused(without, { where: `model.safetensors ${missing}`, received: 'no tensor of this name' })
    const wrong = changed({ tensors: (tensors) => tensors.set(other, tensor([1, 2])) })
    refused(wrong, { where: `model.safetensors ${other}`, expected: /\[16, 16\]/, received: '[2]' })
    const extra = changed({ tensors: (tensors) => tensors.set('text_model.more', tensor([1, 2])) })
    refused(extra, { where: 'model.safetensors text_model.more', expected: /only/, received: 'this one' })
    const unscaled = changed({ tensors: (tensors) => tensors.delete('logit_scale') })
    refused(unscaled, { where: 'model.safetensors logit_scale', received: 'no tensor of this name' })
  })

  it('another class, and an activation that CLIP does not have', () => {
    const siglip = changed({ json: { 'config.json': () => ({ architectures: ['SiglipModel'] }) } })
    refused(siglip, { where: 'config.json architectures.0', expected: /CLIPModel/, received: '"SiglipModel"' })
    const relu = changed({
      json: {
        'config.json': ({ text_config: text }) => ({ text_config: { ...(text as object), hidden_act: 'relu' } }),
      },
    })
    refused(relu, { where: 'config.json text_config.hidden_act', expected: /quick_gelu.*gelu/, received: '"relu"' })
  })

  it('preprocessing for another network, or in another manner', () => {
    const edited = (fields: object) => changed({ json: { 'preprocessor_config.json': () => fields } })
    const where = 'preprocessor_config.json'
    refused(edited({ crop_size: 24 }), { where: `${where} crop_size`, expected: /^32/, received: '24' })
    refused(edited({ size: { height: 32, width: 32 } }), {
      where: `${where} size`,
      expected: /shortest_edge/,
      received: '{"height":32,"width":32}',
    })
    refused(edited({ resample: 2 }), { where: `${where} resample`, expected: /^3$/, received: '2' })
    refused(edited({ size: 31 }), { where: `${where} crop_size`, expected: /at most size/, received: '32' })
  })

  it('a tokenizer of another network', () => {
    const edited = (fields: object) =>
      changed({
        json: { 'config.json': ({ text_config: text }) => ({ text_config: { ...(text as object), ...fields } }) },
      })
    const where = 'config.json text_config'
    refused(edited({ eos_token_id: 7 }), { where: `${where}.eos_token_id`, expected: /^813/, received: '7' })
    refused(edited({ vocab_size: 800 }), { where: `${where}.vocab_size`, expected: /813/, received: '800' })
    refused(edited({ max_position_embeddings: 64 }), {
      where: `${where}.max_position_embeddings`,
      expected: /^77/,
      received: '64',
    })
  })
})
