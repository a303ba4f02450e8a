import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ConfigError, FormatError } from '../../errors.ts'
import { openFeedback } from '../../feedback/store/store.ts'
import type { Open, OpenPolicy } from '../../images/open-model.ts'
import { encodePng, type Picture } from '../../images/png.ts'
import { downSuffix, upSuffix } from '../../networks/adapters.ts'
import { openClip } from '../../networks/clip/clip-encoder.ts'
import { fixtures } from '../../networks/clip/fixture.test-helper.ts'
import { random } from '../../random.ts'
import type { ImageRecord, Judgment } from '../../records.ts'
import type { Manifest } from '../../run.ts'
import { full, tensor } from '../../tensor/create.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { toyEncoder } from '../encoding/toy-encoder.test-helper.ts'
import { openReward, scorePictures } from '../open-reward.ts'
import { rewardFileName } from '../reward-file.ts'
import { RewardTrainConfig } from '../training/reward-train-config.ts'
import { trainReward } from '../training/train-reward.ts'
import type { EncoderFacts } from './train-encoder.ts'
import { shareOfRate } from './train-encoder.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-encoder-'))
after(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]) => join(folder, ...names)

/** A checkerboard of fine or coarse squares, in some colour: what people here prefer are coarse ones, whatever the prompt. */
function board(side: number, seed: number): Picture {
  const stream = random(seed)
  const colors = [0, 1].map((place) => [0, 1, 2].map(() => stream.integer(100 * place, 100 + 150 * place)))
  const bytes = new Uint8Array(32 * 32 * 3)
  for (let i = 0; i < 32 * 32; i++) {
    const isLight = (Math.floor(i / 32 / side) + Math.floor((i % 32) / side)) % 2
    bytes.set(colors[isLight], 3 * i)
  }
  return { bytes, width: 32, height: 32 }
}

const sides = [16, 8, 2, 2]
const prompts = Array.from({ length: 16 }, (_, i) => `${['red', 'blue', 'green', 'white'][i % 4]} board ${i}`)
const pictures = prompts.flatMap((_, p) => sides.map((side, k) => board(side, 10 * p + k)))
const texts = prompts.flatMap((text) => sides.map(() => text))
const idOf = (index: number) => index.toString(16).padStart(16, '0')

let feedback = ''
before(async () => {
  cpSync(join(fixtures, 'clip'), at('clip'), { recursive: true })
  mkdirSync(at('images'))
  feedback = at('feedback.sqlite')
  await using store = await openFeedback(feedback)
  const records = texts.map((text, index): ImageRecord => {
    const [id, sampler] = [idOf(index), 'ddim'] as const
    const file = `images/${id}.png`
    return { id, prompt: text, text, category: 'color', file, sha256: 'a'.repeat(64), seed: 0, index, policy: 'pretrained', sampler, steps: 1, eta: 0, guidance: 1 } // prettier-ignore
  })
  for (const [i, { file }] of records.entries()) writeFileSync(at(file), await encodePng(pictures[i]))
  await store.addImages(records, folder)
  const judgments = prompts.flatMap((_, p) =>
    [[0, 2], [3, 1], [0, 1], [2, 3]].map(([first, second], k): Judgment => ({
      ...{ id: `${p}-${k}`, rater: 'r', raterKind: 'person', at: '2026-01-01T00:00:00.000Z', kind: 'pair' },
      images: [idOf(4 * p + first), idOf(4 * p + second)],
      answer: k === 3 ? 'tie' : sides[first] > sides[second] ? 'first' : 'second',
    })),
  ) // prettier-ignore
  await store.addJudgments(judgments)
})

const unopened: Open = () => assert.fail('the model is not needed')
const clip = () => openClip(at('clip'), { dtype: 'float32', device: 'cpu' })
/** Gives a model that brings the CLIPModel as its own encoder. */
const bringing: Open = () => Promise.resolve({ model: { name: 'sd' }, encoder: clip() } as unknown as OpenPolicy)

const configOf = (fields: Partial<RewardTrainConfig>) =>
  RewardTrainConfig.parse({
    ...{ feedback, encoder: at('clip'), epochs: 2, ensemble: 0, threads: 1, model: 'none', device: 'cpu' },
    ...{ heldOut: 0.25, encoderBatchSize: 8, ...fields },
  })
let count = 0
async function trained(fields: Partial<RewardTrainConfig>, open = unopened): Promise<Manifest & { out: string }> {
  const out = at(`run-${count++}`)
  return { ...(await trainReward(configOf({ ...fields, out }), open)), out }
}
const reopened = async (out: string, open = unopened, encoder: string | null = null) =>
  openReward(out, configOf({ out, encoder }), open)

interface Results {
  readonly head: null
  readonly encoderTraining: EncoderFacts
  readonly note: string
  readonly heldOut: {
    readonly n: number
    readonly comparisons: number
    readonly pairAccuracy: number
    readonly clipScorePairAccuracy: number
    readonly frozenHead: { readonly head: string; readonly pairAccuracy: number }
    readonly gain: number
    readonly isBetter: boolean
  }
}
const resultsOf = ({ results }: Manifest) => results as unknown as Results

describe('reward train --train-encoder', () => {
  for (const [trainEncoder, encoderLearningRate] of [
    ['lora', 1e-2],
    ['all', 2e-3],
  ] as const) {
    it(`${trainEncoder}: learns what the encoder did not know, and opens as it was measured`, async () => {
      const run = await trained({ trainEncoder, encoderLearningRate, encoderEpochs: 16, encoderBatchSize: 16 })
      const { heldOut, encoderTraining: facts, head, note } = resultsOf(run)
      assert.equal(head, null)
      assert.ok(heldOut.pairAccuracy > 0.9 && heldOut.clipScorePairAccuracy < 0.8, JSON.stringify(heldOut))
      assert.deepEqual([heldOut.n, heldOut.comparisons, facts.ties], [0, 16, 10])
      assert.equal(heldOut.frozenHead.head, 'mlp')
      const gain = heldOut.pairAccuracy - heldOut.frozenHead.pairAccuracy
      assert.ok(Math.abs(heldOut.gain - gain) < 1e-9)
      assert.equal(note.includes('not shown to order pairs better'), !heldOut.isBetter)
      const taken = facts.looks.find(({ update }) => update === facts.updateTaken)!
      assert.equal(taken.loss, Math.min(...facts.looks.map(({ loss }) => loss)))
      assert.ok(taken.update > 0 && taken.loss < facts.looks[0].loss)

      const reward = await reopened(run.out)
      assert.deepEqual([reward.name, reward.range], [run.out, undefined])
      const scores = scorePictures(reward, pictures, texts)
      const right = prompts.filter((_, p) => scores[4 * p] > scores[4 * p + 2] && scores[4 * p + 1] > scores[4 * p + 3])
      assert.ok(right.length >= 13, `${right.length} of 16`)
      using _scope = tensorScope()
      const pixels = full([2, 3, 32, 32], 0.25)
      const own = reward.score(pixels, texts.slice(0, 2)).toArray()
      reward.scoreWithGradient!(pixels, texts.slice(0, 2)).toArray().forEach((score, i) => assert.ok(Math.abs(score - own[i]) < 0.02)) // prettier-ignore
      assert.deepEqual(reward.features(pixels, texts.slice(0, 2)).shape, [2, 16])
      assert.deepEqual(reward.hollow!().embedImages(pixels).shape, [2, 16])
    })
  }

  it('keeps the encoder as it was where nothing makes it better, and says so', async () => {
    const { encoderTraining: facts, note } = resultsOf(
      await trained({ trainEncoder: 'all', encoderLearningRate: 1e-12 }),
    )
    assert.equal(facts.updateTaken, 0)
    assert.ok(facts.updates <= 3 * 6)
    assert.match(note, /not shown to order pairs better/)
  })

  it('gives the same encoder again, of which another seed makes another', async () => {
    const bytesOf = async (seed: number) => {
      const { out } = await trained({ trainEncoder: 'lora', encoderEpochs: 1, heldOut: 0, seed })
      return [...readSafetensors(join(out, rewardFileName)).tensors].map(([name, one]) => [name, one.toArray()])
    }
    const first = await bytesOf(1)
    assert.deepEqual(await bytesOf(1), first)
    assert.notDeepEqual(await bytesOf(2), first)
  })

  it('trains the encoder that a model brings, and refuses one that cannot be trained', async () => {
    const { out } = await trained({ trainEncoder: 'lora', encoder: null, encoderEpochs: 1, heldOut: 0 }, bringing)
    assert.equal((await reopened(out, bringing)).name, out)
    const toy: Open = () => Promise.resolve({ model: { name: 'sd' }, encoder: toyEncoder } as unknown as OpenPolicy)
    await assert.rejects(trained({ trainEncoder: 'lora', encoder: null }, toy), {
      name: ConfigError.name,
      where: '--train-encoder',
      received: 'toy',
    })
  })

  it('warms up over a tenth of the updates, and then decays to zero', () => {
    assert.deepEqual([0, 4, 9, 10, 55, 100].map((update) => shareOfRate(update, 100)), [0.1, 0.5, 1, 1, 0.5, 0]) // prettier-ignore
    assert.equal(shareOfRate(499, 10_000), 1)
    assert.deepEqual([0].map((update) => shareOfRate(update, 1)), [1]) // prettier-ignore
  })
})

describe('the file of a trained encoder', () => {
  let [lora, all] = ['', '']
  before(async () => {
    ;[lora, all] = [
      (await trained({ trainEncoder: 'lora', encoderEpochs: 1, heldOut: 0 })).out,
      (await trained({ trainEncoder: 'all', encoderEpochs: 1, heldOut: 0 })).out,
    ]
  })

  it('opens elsewhere: with all weights alone, with adapters beside the encoder that it names', async () => {
    const score = async (out: string, encoder: string | null = null) =>
      scorePictures(await reopened(out, unopened, encoder), pictures.slice(0, 4), texts.slice(0, 4))
    const [ofLora, ofAll] = [await score(lora), await score(all)]
    renameSync(at('clip'), at('moved'))
    try {
      assert.deepEqual(await score(all), ofAll)
      assert.deepEqual(await score(lora, at('moved')), ofLora)
      await assert.rejects(score(lora), { name: 'FileError' })
    } finally {
      renameSync(at('moved'), at('clip'))
    }
    // What lies there is a checkpoint by itself.
    const { logitScale } = openClip(join(all, 'encoder'), { dtype: 'float32', device: 'cpu' })
    assert.ok(Math.abs(logitScale - clip().logitScale) < 0.01 * logitScale)
    assert.ok(!existsSync(join(lora, 'encoder')))
  })

  it('refuses another encoder, and weights that are not those that were trained', async () => {
    const change = (file: string) => {
      using _scope = tensorScope()
      const { tensors, metadata } = readSafetensors(file)
      tensors.set('logit_scale', tensors.get('logit_scale')!.mul(2))
      writeSafetensors(file, tensors, metadata)
    }
    cpSync(lora, at('elsewhere'), { recursive: true })
    cpSync(at('clip'), at('changed'), { recursive: true })
    change(at('changed', 'model.safetensors'))
    renameSync(at('clip'), at('away'))
    try {
      const opening = reopened(at('elsewhere'), unopened, at('changed'))
      await assert.rejects(opening, { name: FormatError.name, remedy: /trained on another encoder/ })
    } finally {
      renameSync(at('away'), at('clip'))
    }
    cpSync(all, at('tampered'), { recursive: true })
    change(at('tampered', 'encoder', 'model.safetensors'))
    await assert.rejects(reopened(at('tampered')), { name: FormatError.name, where: /tampered.encoder encoder$/ })
  })

  it('refuses a file that is broken', async () => {
    const file = join(lora, rewardFileName)
    const whole = readSafetensors(file)
    const [down, up] = [downSuffix, upSuffix].map((end) => [...whole.tensors.keys()].find((name) => name.endsWith(end))!) // prettier-ignore
    const cases: [where: RegExp, break_: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void][] = [
      [/log scale$/, (tensors) => tensors.delete('log scale')],
      [/log scale$/, (tensors) => tensors.set('log scale', tensor([NaN]))],
      [/log scale$/, (tensors) => tensors.set('log scale', tensor([1, 2]))],
      [/lora\.up$/, (tensors) => tensors.delete(up)],
      [/lora\.down$/, (tensors) => tensors.set(down, full([3, 5], 0))],
      [/lora\.up$/, (tensors) => tensors.set(up, full(tensors.get(up)!.shape, Infinity))],
      [/lora\.up$/, (tensors) => tensors.set(up, tensors.get(up)!.to('float16'))],
      [/visual_projection\.weight$/, (tensors) => tensors.set('visual_projection.weight', full([16, 24], 0))],
      [/trained$/, (_, metadata) => (metadata.trained = 'some')],
      [/position_embedding\.weight$/, (_, metadata) => (metadata.trained = 'all')],
      [/adapterScale$/, (_, metadata) => (metadata.adapterScale = 'NaN')],
      [/encoderSha256$/, (_, metadata) => (metadata.encoderSha256 = '../..')],
      [/ownSha256$/, (_, metadata) => (metadata.ownSha256 = 'none')],
    ]
    for (const [where, change] of cases) {
      using _scope = tensorScope()
      const [tensors, metadata] = [new Map(whole.tensors), { ...whole.metadata }]
      change(tensors, metadata)
      writeSafetensors(file, tensors, metadata)
      await assert.rejects(reopened(lora), (error: FormatError) => {
        assert.ok(error instanceof FormatError && where.test(error.where), `${String(where)}: ${error.message}`)
        return true
      })
    }
  })
})
