import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ConfigError, FileError, FormatError } from '../../errors.ts'
import type { Open, OpenPolicy } from '../../images/open-model.ts'
import { pixelsOf, readPicture } from '../../images/png.ts'
import { openClip } from '../../networks/clip/clip-encoder.ts'
import { fixtures } from '../../networks/clip/fixture.test-helper.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import type { Manifest } from '../../run.ts'
import { tensor } from '../../tensor/create.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { comparableOf } from '../across-prompts.ts'
import { comparedStore, judgedStore } from '../examples/judged-store.test-helper.ts'
import { openReward, scorePictures } from '../open-reward.ts'
import { rewardFileName } from '../reward-file.ts'
import { RewardTrainConfig } from './reward-train-config.ts'
import { trainReward } from './train-reward.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-reward-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const prompts = ['a red ball', 'a green ball', 'a blue ball', 'a white ball', 'red', 'green', 'blue', 'the color white']
let feedback = ''
before(async () => {
  feedback = await judgedStore(folder, prompts)
  cpSync(join(fixtures, 'clip'), at('clip'), { recursive: true })
})

const unopened: Open = () => assert.fail('the model is not needed')
/** Gives a model of which only the encoder counts. */
const opening =
  (encoder?: ImageTextEncoder): Open =>
  () =>
    Promise.resolve({ model: { name: 'sd' }, ...(encoder && { encoder }) } as OpenPolicy)

function configOf(fields: Partial<RewardTrainConfig>): RewardTrainConfig {
  return RewardTrainConfig.parse({ feedback, epochs: 2, threads: 1, model: 'none', device: 'cpu', ...fields })
}
let count = 0
async function trained(fields: Partial<RewardTrainConfig>, open = unopened): Promise<Manifest & { out: string }> {
  const out = at(`run-${count++}`)
  return { ...(await trainReward(configOf({ encoder: at('clip'), ...fields, out }), open)), out }
}
const scores = async (out: string, encoder: string | null = null) => {
  const reward = await openReward(out, configOf({ out, encoder }), unopened)
  const files = ['0', '1', '2'].map((digit) => at(`images/${digit.padStart(16, '0')}.png`))
  return scorePictures(reward, await Promise.all(files.map(readPicture)), ['red', 'a blue ball', 'green'])
}

describe('reward train on a CLIPModel', () => {
  it('learns from pictures of several sizes without opening the model, and says from what', async () => {
    const { results, out, parents } = await trained({})
    const { encoder, heldOut, clipShare, mixture, ...rest } = results as Record<string, Record<string, unknown>>
    assert.deepEqual(parents, { feedback })
    assert.deepEqual(
      { ...rest, note: undefined },
      {
        labels: 64,
        good: 16,
        bad: 48,
        skipped: 8,
        pairs: 0,
        rankings: 0,
        ratings: 0,
        comparisons: 0,
        ties: 0,
        raters: 1,
        simulated: false,
        head: 'mlp',
        nu: null,
        ensemble: 5,
        prompts: 8,
        promptsWithDistractors: 8,
        note: undefined,
      },
    )
    assert.ok(Number(clipShare) > 0 && Number(clipShare) <= 1, `${String(clipShare)}`)
    assert.deepEqual(Object.keys(mixture), ['head', 'clip', 'offset'])
    assert.equal(encoder.name, at('clip'))
    assert.match(encoder.sha256 as string, /^[0-9a-f]{64}$/)
    const figures = ['accuracy', 'accuracyInterval', 'auc', 'aucInterval', 'clipScoreAuc', 'ece', 'reliability']
    assert.deepEqual(Object.keys(heldOut).slice(0, 9), ['prompts', 'n', ...figures])
    assert.deepEqual([heldOut.comparisons, heldOut.pairAccuracy], [0, null])
    const { metadata } = readSafetensors(join(out, rewardFileName))
    assert.deepEqual(metadata, {
      format: 'attune-reward-2',
      head: 'mlp',
      encoder: at('clip'),
      encoderPath: at('clip'),
      encoderSha256: encoder.sha256,
    })
  })

  it('says of every image of the store how unsure it is, and where people disagree with it', async () => {
    const { out } = await trained({ ensemble: 3 })
    const unsure = JSON.parse(readFileSync(join(out, 'uncertainties.json'), 'utf8')) as Record<string, number>
    assert.equal(Object.keys(unsure).length, 72)
    assert.ok(Object.values(unsure).every((value) => value > 0 && value < 0.6))
    const rows = JSON.parse(readFileSync(join(out, 'disagreements.json'), 'utf8')) as Record<string, number>[]
    assert.equal(rows.length, 50)
    const differences = rows.map(({ score, people }) => Math.abs(score - people))
    assert.deepEqual(
      differences,
      differences.toSorted((a, b) => b - a),
    )
    assert.ok(!existsSync(join((await trained({ ensemble: 0, heldOut: 0 })).out, 'uncertainties.json')))
  })

  it('learns from pairs, rankings and ratings without a single label', async () => {
    const pairs = await comparedStore(at('compared'), prompts)
    const { results, out } = await trained({ feedback: pairs, ensemble: 0, epochs: 30, batchSize: 8 })
    const { heldOut, ...rest } = results as { heldOut: Record<string, number | null> } & Record<string, number>
    assert.deepEqual([rest.labels, rest.pairs, rest.rankings, rest.ratings], [0, 24, 8, 16])
    assert.equal(comparableOf(await openReward(out, configOf({ out }), unopened)), 'within a prompt')
    assert.deepEqual([rest.comparisons, rest.ties], [24 + 8 * 3 + 8, 8])
    assert.ok(rest.nu > 0)
    assert.deepEqual([heldOut.n, heldOut.auc, heldOut.accuracy], [0, null, null])
    assert.ok(heldOut.pairAccuracy! >= 0 && heldOut.pairAccuracy! <= 1 && heldOut.comparisons! > 0)
    const range = await scores(out)
    assert.ok(
      range.every((score) => score > 0.02 && score < 0.98),
      `${range}`,
    )
  })

  it('gives the same reward again, and the same scores from its file', async () => {
    const [first, second] = [await trained({ seed: 3 }), await trained({ seed: 3 })]
    assert.deepEqual(second.results, first.results)
    assert.deepEqual(await scores(second.out), await scores(first.out))
    assert.notDeepEqual(await scores((await trained({ seed: 4 })).out), await scores(first.out))
  })

  it('trains either head, which the file remembers', async () => {
    for (const head of ['agreement', 'mlp'] as const) {
      const { results, out } = await trained({ head, heldOut: 0 })
      assert.equal(results.head, head)
      assert.equal(results.heldOut, null)
      const reward = await openReward(out, configOf({ out }), unopened)
      const picture = await readPicture(at(`images/${'0'.repeat(16)}.png`))
      using _scope = tensorScope()
      assert.deepEqual(reward.features(pixelsOf([picture]), ['red']).shape, [1, head === 'mlp' ? 1024 + 16 : 16 + 256])
    }
  })

  it('leaves the head alone with --no-shrink, in a file as it was before there was a mixture', async () => {
    const { results, out } = await trained({ shrink: false, ensemble: 0 })
    assert.deepEqual([results.clipShare, results.mixture], [null, null])
    const { metadata, tensors } = readSafetensors(join(out, rewardFileName))
    assert.deepEqual([metadata.format, tensors.has('mixture')], ['attune-reward-1', false])
    assert.equal((await scores(out)).length, 3)
  })

  it('refuses a file whose mixture is missing or broken', async () => {
    const { out } = await trained({ heldOut: 0, ensemble: 0 })
    using _scope = tensorScope()
    const file = join(out, rewardFileName)
    const { tensors, metadata } = readSafetensors(file)
    for (const [broken, received] of [
      [undefined, 'no such tensor'],
      [tensor(Float64Array.of(1, 2)), '[2]'],
      [tensor(Float64Array.of(1, Infinity, 0)), '1, Infinity, 0'],
    ] as const) {
      if (broken === undefined) tensors.delete('mixture')
      else tensors.set('mixture', broken)
      writeSafetensors(file, tensors, metadata)
      await assert.rejects(scores(out), { name: FormatError.name, where: /mixture$/, received })
    }
  })

  it('takes distractors from a file, of other prompts as they are made', async () => {
    const distractorsFile = at('wrong.jsonl')
    writeFileSync(distractorsFile, '{"prompt": "red", "distractors": ["blue"]}\n')
    const { parents, results } = await trained({ distractorsFile })
    assert.deepEqual(parents, { feedback, distractors: distractorsFile })
    assert.equal(results.promptsWithDistractors, 8)

    const other = await judgedStore(at('other'), ['a red ball', 'a blue ball', 'a ball', 'white', 'a box'])
    assert.equal((await trained({ feedback: other, heldOut: 0 })).results.promptsWithDistractors, 3)
    writeFileSync(distractorsFile, '{"prompt": "a ball", "distractors": ["a box"]}\n')
    const { results: more } = await trained({ feedback: other, heldOut: 0, distractorsFile })
    assert.equal(more.promptsWithDistractors, 4)

    await assert.rejects(trained({ distractorsFile }), {
      name: FormatError.name,
      message: /wrong\.jsonl: expected prompts that have labels, such as "a red ball", received 1 other prompts/,
    })
  })

  it('leaves no run where it fails', async () => {
    const out = at('failed')
    const hidden = at(`images/${'3'.padStart(16, '0')}.png`)
    renameSync(hidden, `${hidden}.away`)
    await assert.rejects(trainReward(configOf({ out, encoder: at('clip') }), unopened), FormatError)
    renameSync(`${hidden}.away`, hidden)
    assert.ok(!existsSync(out))
  })
})

describe('the encoder of a reward', () => {
  it('may move, and is then named; another one is refused', async () => {
    const { out } = await trained({ heldOut: 0 })
    const before = await scores(out)
    cpSync(at('clip'), at('changed'), { recursive: true })
    {
      using _scope = tensorScope()
      const file = join(at('changed'), 'model.safetensors')
      const { tensors, metadata } = readSafetensors(file)
      tensors.set('logit_scale', tensors.get('logit_scale')!.mul(2))
      writeSafetensors(file, tensors, metadata)
    }
    // Its own is there: the other one is meant for another reward.
    assert.deepEqual(await scores(out, at('changed')), before)

    renameSync(at('clip'), at('moved'))
    try {
      assert.deepEqual(await scores(out, at('moved')), before)
      await assert.rejects(scores(out), FileError)
      await assert.rejects(scores(out, at('changed')), {
        name: FormatError.name,
        where: `${out} encoder`,
        remedy: /trained on another encoder/,
      })
    } finally {
      renameSync(at('moved'), at('clip'))
    }
  })

  it('is the model’s own where none is named', async () => {
    const clip = openClip(at('clip'), { dtype: 'float32', device: 'cpu' })
    const { results, out } = await trained({ encoder: null }, opening(clip))
    assert.equal(results.head, 'agreement')
    assert.equal(readSafetensors(join(out, rewardFileName)).metadata.encoderPath, undefined)
    assert.equal((await openReward(out, configOf({ out }), opening(clip))).name, out)
    await assert.rejects(openReward(out, configOf({ out }), opening()), {
      name: FormatError.name,
      received: 'sd, which brings none',
    })
    await assert.rejects(trained({ encoder: null }, opening()), {
      name: ConfigError.name,
      where: '--encoder',
      remedy: /none brings no encoder of its own/,
    })
  })
})
