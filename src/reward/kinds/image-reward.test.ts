import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { z } from 'zod'
import { FileError, FormatError } from '../../errors.ts'
import { modelFields, type Open } from '../../images/open-model.ts'
import {
  tinyFixtures,
  tinyImageReward,
  writeTinyImageReward,
} from '../../networks/blip/tiny-image-reward.test-helper.ts'
import { assertNear, distance } from '../../networks/clip/fixture.test-helper.ts'
import { gradients, noGrad } from '../../tensor/autograd.ts'
import { cat, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { openReward } from '../open-reward.ts'

const scratch = mkdtempSync(join(tmpdir(), 'attune-image-reward-'))
after(() => rmSync(scratch, { recursive: true }))
const at = (name: string) => join(scratch, name)
const environment = { ...process.env }
process.env.HF_HUB_CACHE = at('hub')
after(() => (process.env = environment))

const unopened: Open = () => assert.fail('the model is not needed')
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const open = (name: string, mixedPrecision: 'no' | 'bf16' | null = null) =>
  openReward(name, { ...config, mixedPrecision }, unopened)

const tiny = writeTinyImageReward(at('tiny'))
const reward = await open(tiny)
const prompts = JSON.parse(readFileSync(join(tinyFixtures, 'prompts.json'), 'utf8')) as readonly string[]
const expected = (name: string) => {
  const found = readSafetensors(join(tinyFixtures, 'expected.safetensors')).tensors.get(name)
  assert.ok(found, name)
  return found
}
const pictureOf = (i: number) => expected(`image.${i}`).to('float32').div(127.5).sub(1).permute(2, 0, 1).unsqueeze(0)

// Resizing gives a few bytes that differ by one from Pillow's; the first picture is not resized.
const pictures = [
  { name: 'of its own size', tolerance: 1e-5 },
  { name: 'enlarged, with a middle that is not in the middle', tolerance: 5e-3 },
  { name: 'made smaller', tolerance: 5e-3 },
]

for (const threads of [1, 2]) {
  describe(`ImageReward as its authors compute it, on ${threads} threads`, () => {
    for (const [i, { name, tolerance }] of pictures.entries()) {
      it(`scores and features of a picture ${name}`, () => {
        useThreads(threads)
        using _scope = tensorScope()
        using _noGrad = noGrad()
        const [pixels, texts] = [pictureOf(i), [prompts[i]]]
        assertNear(reward.score(pixels, texts), expected(`score.${i}`), tolerance)
        assertNear(reward.features(pixels, texts).squeeze(0), expected(`features.${i}`), tolerance)
        const seen = expected(`seen.${i}`)
        assertNear(reward.embedImages(pixels).squeeze(0), seen.div(seen.norm()), tolerance)
      })

      it(`score and gradient with respect to the pixels of a picture ${name}`, () => {
        useThreads(threads)
        using _scope = tensorScope()
        const pixels = pictureOf(i).clone().requireGrad()
        const score = reward.scoreWithGradient!(pixels, [prompts[i]])
        assertNear(score.detach(), expected(`smooth.${i}`), 1e-5)
        const gradient = gradients([score.sum()], [pixels])[0]!
        const [, , height, width] = pixels.shape
        const third = (size: number) => Array.from({ length: Math.ceil(size / 3) }, (_, n) => 3 * n)
        const own = cat(third(height).map((row) => gradient.slice(2, row, row + 1)), 2) // prettier-ignore
        const thinned = cat(third(width).map((column) => own.slice(3, column, column + 1)), 3) // prettier-ignore
        const theirs = expected(`gradient.${i}`).unsqueeze(0)
        const far = thinned.sub(theirs).norm().item() / theirs.norm().item()
        assert.ok(far < 1e-4, `${far}`)
      })
    }
  })
}

describe('ImageReward', () => {
  it('scores each image for its own prompt', () => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const scores = reward.score(cat([pictureOf(0), pictureOf(0), pictureOf(0)]), prompts)
    assertNear(scores, expected('prompts.of.0'), 1e-5)
  })

  it('scores more images than it computes at once, and nothing of the second half is the first’s', () => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const many = Array.from({ length: 35 }, (_, i) => prompts[i % 3])
    const scores = reward.score(pictureOf(0).expand(35, -1, -1, -1), many).toArray()
    const alone = expected('prompts.of.0').toArray()
    scores.forEach((score, i) => assert.ok(Math.abs(score - alone[i % 3]) < 1e-5))
  })

  it('computes in bfloat16 where that is asked for, but for the head', async () => {
    const rounded = await open(tiny, 'bf16')
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const scores = rounded.score(pictureOf(0), [prompts[0]])
    assert.equal(scores.dtype, 'float32')
    const far = distance(scores, expected('score.0'))
    assert.ok(far > 0 && far < 0.2, `${far}`)
  })

  it('is opened as one file, from the cache, and with its vocabulary in the cache', async () => {
    const { sha256 } = reward
    cpSync(tiny, at('file'), { recursive: true })
    renameSync(at('file/model.safetensors'), at('file/ImageReward.safetensors'))
    assert.equal((await open(at('file'))).sha256, sha256)
    assert.equal((await open(at('file/ImageReward.safetensors'))).sha256, sha256)
    const cached = (name: string) => {
      const repository = at(`hub/models--${name.replace('/', '--')}`)
      mkdirSync(join(repository, 'refs'), { recursive: true })
      writeFileSync(join(repository, 'refs/main'), 'abc')
      return join(repository, 'snapshots/abc')
    }
    cpSync(tiny, cached('RE-N-Y/ImageReward'), { recursive: true })
    writeFileSync(join(cached('RE-N-Y/ImageReward'), 'config.json'), '{}')
    assert.equal((await open('RE-N-Y/ImageReward')).name, 'RE-N-Y/ImageReward')
    rmSync(join(cached('RE-N-Y/ImageReward'), 'vocab.txt'))
    await assert.rejects(open('RE-N-Y/ImageReward'), {
      name: FileError.name,
      remedy: /attune model fetch google-bert\/bert-base-uncased/,
    })
    mkdirSync(cached('google-bert/bert-base-uncased'), { recursive: true })
    cpSync(join(tinyFixtures, 'vocab.txt'), join(cached('google-bert/bert-base-uncased'), 'vocab.txt'))
    assert.equal((await open('RE-N-Y/ImageReward')).sha256, sha256)
  })
})

describe('what is no ImageReward', () => {
  const sound = tinyImageReward()
  type Change = (tensors: Map<string, Tensor>) => void
  const refused = async (change: Change, where: string, received: RegExp) => {
    const folder = mkdtempSync(join(scratch, 'wrong-'))
    using _scope = tensorScope()
    const tensors = new Map(sound)
    change(tensors)
    writeTinyImageReward(folder, tensors)
    await assert.rejects(open(folder), (error) => {
      assert.ok(error instanceof FormatError, String(error))
      assert.equal(error.where, `${join(folder, 'model.safetensors')} ${where}`)
      assert.match(error.received, received)
      return true
    })
  }
  const without =
    (name: string): Change =>
    (tensors) =>
      void tensors.delete(name)
  const as =
    (name: string, shape: readonly number[]): Change =>
    (tensors) =>
      void tensors.set(name, zeros(shape))
  const [image, text] = ['blip.visual_encoder', 'blip.text_encoder']

  it('a tensor that is missing, of another shape or too much is named', async () => {
    await refused(without(`${image}.blocks.1.attn.qkv.bias`), `${image}.blocks.1.attn.qkv.bias`, /no tensor/)
    const key = `${text}.encoder.layer.1.crossattention.self.key.weight`
    await refused(without(key), key, /no tensor/)
    await refused(as(key, [128, 128]), key, /\[128, 128\]/)
    await refused(as(`${text}.pooler.dense.bias`, [128]), `${text}.pooler.dense.bias`, /this one/)
    await refused(without('mlp.layers.7.bias'), 'mlp.layers.7.bias', /no tensor/)
    await refused(without(`${image}.pos_embed`), `${image}.pos_embed`, /no tensor/)
  })

  it('a head with layers between which something bends, as CycleReward’s, is refused', async () => {
    const moved: Change = (tensors) => {
      for (const part of ['weight', 'bias']) {
        tensors.set(`mlp.layers.8.${part}`, tensors.get(`mlp.layers.7.${part}`)!)
        tensors.delete(`mlp.layers.7.${part}`)
      }
    }
    await refused(moved, 'mlp.layers.7.weight', /no tensor/)
    await refused(as('mlp.layers.8.weight', [1, 1]), 'mlp.layers.8.weight', /this one/)
  })

  it('sizes that make no network are refused', async () => {
    await refused(as(`${image}.pos_embed`, [1, 64, 192]), `${image}.pos_embed`, /64 places/)
    await refused(as(`${image}.patch_embed.proj.weight`, [100, 3, 14, 14]), `${image}.patch_embed.proj.weight`, /100/)
    await refused(as(`${image}.patch_embed.proj.weight`, [192]), `${image}.patch_embed.proj.weight`, /\[192\]/)
    const places = `${text}.embeddings.position_embeddings.weight`
    await refused(as(places, [34, 128]), places, /34/)
  })

  it('another vocabulary is refused', async () => {
    const folder = writeTinyImageReward(mkdtempSync(join(scratch, 'wrong-')), sound)
    writeFileSync(join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n')
    await assert.rejects(open(folder), { name: FormatError.name, where: join(folder, 'vocab.txt'), received: '6' })
  })

  it('weights that are not finite, or cut off, are refused', async () => {
    const folder = writeTinyImageReward(mkdtempSync(join(scratch, 'wrong-')), sound)
    using _scope = tensorScope()
    writeTinyImageReward(folder, new Map([...sound, ['mlp.layers.7.bias', zeros([1]).div(0)]]))
    await assert.rejects(open(folder), { name: FormatError.name, where: /mlp\.layers\.7\.bias$/, received: /NaN/ })
    truncateSync(join(folder, 'model.safetensors'), 1000)
    await assert.rejects(open(folder), (error) => error instanceof FormatError || error instanceof FileError)
  })

  it('the published pickle is refused with the command that converts it, also as a folder', async () => {
    mkdirSync(at('published'))
    writeFileSync(at('published/ImageReward.pt'), 'x')
    for (const name of ['published/ImageReward.pt', 'published']) {
      await assert.rejects(open(at(name)), {
        name: FormatError.name,
        where: at('published/ImageReward.pt'),
        received: /runs any code/,
        remedy: /weights_only=True.*ImageReward\.safetensors/,
      })
    }
  })
})
