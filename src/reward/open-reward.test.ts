import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { z } from 'zod'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import { modelFields, type Open } from '../images/open-model.ts'
import type { Picture } from '../images/png.ts'
import { assertNear, expectedOf, fixtures, readJson } from '../networks/clip/fixture.test-helper.ts'
import { startRun } from '../run.ts'
import { cat, full, zeros } from '../tensor/create.ts'
import { writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { openReward, rewardFields, scorePictures } from './open-reward.ts'
import { rewardFileName } from './reward-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-reward-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const clip = join(fixtures, 'clip')
const { prompts } = readJson('prompts.json') as { prompts: readonly string[] }

const unopened: Open = () => assert.fail('the model is not needed')
const fields = z.object({ ...modelFields, encoder: rewardFields.encoder })
const config = fields.parse({ device: 'cpu', threads: 1 })
const open = (name: string, encoder: string | null = null) => openReward(name, { ...config, encoder }, unopened)
const pixelsOf = (bytes: Tensor) => bytes.to('float32').div(127.5).sub(1).permute(2, 0, 1).unsqueeze(0)

/** Scores of the three pictures of the fixture, which have three sizes. */
const scoresOf = async (name: string, encoder: string | null, texts = prompts) => {
  const reward = await open(name, encoder)
  const expected = expectedOf('clip')
  return cat(texts.map((text, i) => reward.score(pixelsOf(expected(`clip.image.${i % 3}`)), [text])))
}

describe('a CLIPModel as a reward', () => {
  it('scores as transformers: exp(logit scale) · cosine', async () => {
    const scores = (await scoresOf(clip, null)).toArray()
    using _scope = tensorScope()
    const logits = expectedOf('clip')('clip.logits_per_image').toArray()
    // Of the other two pictures, resizing gives a few bytes that differ by one from Pillow's.
    const tolerances = [2e-3, 1e-5, 2e-3]
    scores.forEach((score, i) => {
      const expected = logits[4 * i]
      assert.ok(Math.abs(score - expected) <= tolerances[i], `picture ${i}: ${score} is not ${expected}`)
    })
  })

  it('is found in the Hugging Face cache, also where it does not exist as a folder', async () => {
    const snapshot = at('hub/models--tiny--clip/snapshots/abc')
    cpSync(clip, snapshot, { recursive: true })
    mkdirSync(at('hub/models--tiny--clip/refs'))
    writeFileSync(at('hub/models--tiny--clip/refs/main'), 'abc')
    const before = process.env.HF_HUB_CACHE
    process.env.HF_HUB_CACHE = at('hub')
    try {
      assert.equal((await open('tiny/clip')).name, 'tiny/clip')
      const head = join(fixtures, 'aesthetic-linear.safetensors')
      assert.equal((await open(head, 'tiny/clip')).name, head)
      await assert.rejects(open('tiny/other'), {
        name: FileError.name,
        where: 'tiny/other',
        remedy: /attune model fetch tiny\/other --revision main/,
      })
    } finally {
      if (before === undefined) delete process.env.HF_HUB_CACHE
      else process.env.HF_HUB_CACHE = before
    }
  })
})

describe('an aesthetic head', () => {
  for (const kind of ['linear', 'mlp']) {
    it(`${kind}: scores as the published network on transformers’ embeddings`, async () => {
      const scores = await scoresOf(join(fixtures, `aesthetic-${kind}.safetensors`), clip, ['', '', ''])
      assertNear(scores, expectedOf('clip')(`aesthetic.${kind}`).squeeze(1), 1e-4)
    })
  }

  it('needs an encoder', async () => {
    for (const given of [
      { ...config, encoder: null },
      { ...config, encoder: undefined },
    ]) {
      await assert.rejects(openReward(join(fixtures, 'aesthetic-mlp.safetensors'), given as typeof config, unopened), {
        name: ConfigError.name,
        where: '--encoder',
      })
    }
  })

  it('is refused where it is another network, or for another width', async () => {
    const refused = async (tensors: Record<string, Tensor>, where: RegExp, received: string) => {
      const file = at('head.safetensors')
      writeSafetensors(file, new Map(Object.entries(tensors)))
      await assert.rejects(open(file, clip), { name: FormatError.name, where, received })
    }
    await refused({ weight: zeros([1, 768]), bias: zeros([1]) }, /safetensors weight$/, '[1, 768]')
    await refused({ weight: zeros([2, 16]), bias: zeros([2]) }, /safetensors weight$/, '[2, 16]')
    await refused({ weight: zeros([1, 16]) }, /safetensors bias$/, 'no such tensor')
    await refused({ weight: zeros([1, 16]), bias: zeros([2]) }, /safetensors bias$/, '[2]')
    await refused({ other: zeros([1]) }, /safetensors weight$/, 'no such tensor')
    const layers = { 'layers.0.weight': zeros([4, 16]), 'layers.0.bias': zeros([4]) }
    await refused(
      { ...layers, 'layers.10.weight': zeros([1, 5]), 'layers.10.bias': zeros([1]) },
      /layers\.10\.weight$/,
      '[1, 5]',
    )
    await refused(layers, /layers\.0\.weight$/, '[4, 16]')
  })

  it('applies its layers by their numbers, whatever the type in which they are stored', async () => {
    const file = at('numbers.safetensors')
    const layers = { 2: [4, 16], 10: [1, 4] }
    writeSafetensors(
      file,
      new Map(
        Object.entries(layers).flatMap(([n, [outputs, inputs]]): [string, Tensor][] => [
          [`layers.${n}.weight`, full([outputs, inputs], 0.5, 'float16')],
          [`layers.${n}.bias`, full([outputs], 1, 'float16')],
        ]),
      ),
    )
    const reward = await open(file, clip)
    using _scope = tensorScope()
    const pixels = pixelsOf(expectedOf('clip')('clip.image.0'))
    const [score] = reward.score(pixels, ['']).toArray()
    const sum = reward.embedImages(pixels).sum().item()
    assert.ok(Math.abs(score - (1 + 2 * (1 + 0.5 * sum))) < 1e-5)
  })
})

describe('what is no reward', () => {
  const lists = /a run of `reward train`, ImageReward .*, a CLIPModel .*, an aesthetic head .*, or jpeg-compressibility/

  it('is refused with a list of what is accepted', async () => {
    mkdirSync(at('empty'))
    writeFileSync(at('notes.txt'), 'x')
    await assert.rejects(open(at('empty')), { name: FormatError.name, expected: lists, received: /neither manifest/ })
    await assert.rejects(open(at('notes.txt'), clip), { name: FormatError.name, expected: lists })
    await assert.rejects(open(at('none/at/all')), {
      name: FileError.name,
      expected: lists,
      received: 'no such file or folder',
      remedy: 'check the path',
    })
  })

  it('is refused where it is a pickle, with the way out', async () => {
    writeFileSync(at('sac+logos.pth'), 'x')
    for (const name of [at('sac+logos.pth'), 'missing.pt']) {
      await assert.rejects(open(name, clip), {
        name: FormatError.name,
        expected: lists,
        received: /runs any code/,
        remedy: /weights_only=True\)\.items\(\)}, '.*\.safetensors'/,
      })
    }
  })

  it('is refused where it is a network of another class', async () => {
    await assert.rejects(open(join(fixtures, 'sd1/text_encoder')), FormatError)
    writeFileSync(join(at('empty'), 'config.json'), '{')
    await assert.rejects(open(at('empty')), FormatError)
  })

  it('is refused where it is another run, an unfinished one or a broken one', async () => {
    const run = (name: string, stage: string) => startRun({ folder: at(name), stage, config: {} })
    run('images', 'images generate').finish()
    await assert.rejects(open(at('images')), { name: FormatError.name, received: 'a run of `images generate`' })
    {
      using _unfinished = run('unfinished', 'reward train')
      await assert.rejects(open(at('unfinished')), { name: FileError.name, received: /not finished/ })
    }
    const broken = async (tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string>) => {
      const name = `broken-${Object.values(metadata).join('-').slice(0, 40)}`
      const one = run(name, 'reward train')
      writeSafetensors(one.path(rewardFileName), tensors, metadata)
      one.finish()
      return open(at(name))
    }
    const x = new Map([['x', full([1], 0)]])
    const format = 'attune-reward-1'
    await assert.rejects(broken(x, {}), { name: FormatError.name, received: 'nothing' })
    await assert.rejects(broken(x, { format: 'attune-policy-1' }), { received: 'attune-policy-1' })
    await assert.rejects(broken(x, { format, encoder: 'a' }), { name: FormatError.name, where: /encoderSha256$/ })
    const named = { format, encoder: 'a', encoderSha256: 'b'.repeat(64) }
    await assert.rejects(broken(x, { ...named, head: 'other' }), { name: FormatError.name, where: /head$/ })
    await assert.rejects(broken(x, { head: 'mlp', ...named, encoderPath: at('gone') }), FileError)
  })
})

describe('scores of pictures', () => {
  it('are in their order, whatever their sizes', async () => {
    const reward = await open(clip)
    const picture = (level: number, width: number): Picture => ({
      bytes: Uint8Array.from({ length: width * 32 * 3 }, (_, i) => (i * level) % 256),
      width,
      height: 32,
    })
    const pictures = [picture(3, 32), picture(5, 32), picture(7, 48), picture(11, 32)]
    const texts = ['a red apple', 'two', 'three', 'a red apple']
    const together = scorePictures(reward, pictures, texts)
    const alone = pictures.flatMap((one, i) => scorePictures(reward, [one], [texts[i]]))
    together.forEach((score, i) => assert.ok(Math.abs(score - alone[i]) < 1e-4))
    assert.equal(new Set(together).size, 4)
  })
})
