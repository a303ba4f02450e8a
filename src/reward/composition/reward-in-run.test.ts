/** Compositions in runs of the embedded model. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ConfigError, FormatError, RewardError } from '../../errors.ts'
import { drawImages } from '../../images/draw.ts'
import { modelFields } from '../../images/open-model.ts'
import { open } from '../../open.ts'
import { startRun } from '../../run.ts'
import { alone } from '../../tensor/group.ts'
import { openReward, scorePictures } from '../open-reward.ts'
import type { Reward } from '../reward.ts'
import { drawnBaseImages, type BaseImages } from './base-images.ts'
import { readComposed } from './composed-file.ts'
import { composedName, rewardResults, normalOf, rewardInRun, rewardParents } from './reward-in-run.ts'
import { z } from 'zod'

const folder = mkdtempSync(join(tmpdir(), 'attune-composed-'))
after(() => rmSync(folder, { recursive: true }))
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const prompts = ['two red circles', 'green triangles', 'three crosses']
const sampling = { steps: 2, eta: 1, guidance: 1 }
let base: BaseImages
before(async () => {
  base = drawnBaseImages(await open(config), prompts, sampling)
})

let count = 0
/** In a run of its own, which is left as a process leaves it that is killed. */
async function opened(name: string, given: { folder?: string; base?: () => BaseImages } = {}) {
  const out = given.folder ?? join(folder, `run-${count++}`)
  const run = startRun({ folder: out, stage: 'policy dpok', config: {}, resume: true })
  run.keep()
  try {
    const opening = { run, config, open, base: given.base ?? (() => base), group: alone }
    return { ...(await rewardInRun(name, 'reward', opening)), out }
  } finally {
    run.fail()
  }
}
const drawnNow: BaseImages['pictures'] = () => assert.fail('they were drawn before')

test('parts have mean 0 and deviation 1 over images of the base model, which are the same of every run', async () => {
  const { composed } = await opened('redness=1,brightness=2')
  const pictures = await base.pictures(0, base.texts.length)
  assert.equal(new Set(base.texts).size, 3)
  assert.equal(pictures.length, 66)
  for (const { name, mean, deviation } of composed!.parts) {
    const scores = scorePictures(await openReward(name, config, open), pictures, base.texts)
    const own = scores.reduce((sum, one) => sum + one, 0) / scores.length
    const squares = scores.reduce((sum, one) => sum + (one - own) ** 2, 0)
    assert.ok(Math.abs(mean - own) < 1e-12 && Math.abs(deviation - Math.sqrt(squares / 65)) < 1e-12)
  }
  const { sum } = { sum: scorePictures((await opened('redness=1,brightness=2')).reward, pictures, base.texts) }
  assert.ok(Math.abs(sum.reduce((all, one) => all + one, 0)) < 1e-3)
  assert.deepEqual((await opened('redness=1,brightness=2')).composed, composed)
})

test('a run that goes on, and another stage, have the same reward from its file, and draw nothing', async () => {
  const name = 'min(redness,brightness)'
  const { reward, out } = await opened(name)
  const pictures = drawImages((await open(config)).model, [{ text: prompts[0], seed: 1, index: 0 }], sampling)
  const file = join(out, composedName('reward'))
  const again = await opened(name, { folder: out, base: () => ({ ...base, pictures: drawnNow }) })
  const elsewhere = await openReward(file, config, open)
  for (const { sha256, ...other } of [again.reward, elsewhere]) {
    assert.equal(sha256, reward.sha256)
    const scores = [reward, { sha256, ...other } as Reward].map((one) => scorePictures(one, pictures, [prompts[0]]))
    assert.deepEqual(scores[0], scores[1])
  }
  assert.deepEqual(rewardParents(file), { reward: file, 'reward 1': 'redness', 'reward 2': 'brightness' })
})

test('the record of a run names parts, weights and scale', async () => {
  const reward = await opened('redness=0.5,brightness=-1')
  const { rewardComposed } = rewardResults({ reward, other: undefined }) as { rewardComposed: unknown }
  const { parts, base: words } = readComposed(join(reward.out, composedName('reward')))
  assert.deepEqual(rewardComposed, { kind: 'sum', parts, base: words })
  assert.match(words, /66 images of 3 prompts that the base model drew/)
  assert.deepEqual(rewardParents('redness'), { reward: 'redness' })
})

test('the deviation of a part that compares within a prompt is that within a prompt', () => {
  const pairwise = { name: 'pairs', isWithinPrompt: true } as Reward
  const { mean, deviation } = normalOf(pairwise, [1, 3, 101, 103], ['a', 'a', 'b', 'b'])
  assert.deepEqual([mean, deviation], [52, Math.sqrt(2)])
  assert.equal(normalOf(pairwise, [1, 3], ['a', 'b']).deviation, Math.sqrt(2))
  for (const [scores, texts] of [
    [
      [2, 2, 2],
      ['a', 'a', 'b'],
    ],
    [
      [1, 1, 5, 5],
      ['a', 'a', 'b', 'b'],
    ],
    [[1], ['a']],
  ] as const) {
    assert.throws(() => normalOf(pairwise, scores, texts), RewardError)
  }
})

test('what is no such file, or was measured of another part, is refused', async () => {
  const { out } = await opened('redness=1,brightness=1')
  const file = join(out, composedName('reward'))
  const own = readFileSync(file, 'utf8')
  const openWith = (content: string) => {
    writeFileSync(file, content)
    return openReward(file, config, open)
  }
  for (const [content, message] of [
    [own.replace('redness 1', 'redness 0'), /redness: expected the reward whose mean/],
    [own.replace(/"deviation": [\d.]+/, '"deviation": 0'), /parts\.0\.deviation/],
    [own.replace('attune-composed-reward-1', 'attune-composed-reward-9'), /format/],
    ['{', /JSON/],
    ['[]', /composed reward/],
  ] as const) {
    await assert.rejects(
      openWith(content),
      (error: Error) => error instanceof FormatError && message.test(error.message),
    )
  }
  await assert.rejects(openReward('redness=1,brightness=1', config, open), {
    name: ConfigError.name,
    remedy: /composed-reward\.json/,
  })
})
