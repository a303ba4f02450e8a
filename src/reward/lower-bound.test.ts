/** The lower bound of a trained reward by its own ensemble, against what training says of how unsure it is. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { ConfigError, FormatError } from '../errors.ts'
import type { Open } from '../images/open-model.ts'
import { readPicture } from '../images/png.ts'
import { fixtures } from '../networks/clip/fixture.test-helper.ts'
import { sharesPart } from './composition/shared-parts.ts'
import { ensembleName } from './ensemble-file.ts'
import { judgedStore } from './examples/judged-store.test-helper.ts'
import { openReward, scorePictures } from './open-reward.ts'
import { RewardTrainConfig } from './training/reward-train-config.ts'
import { trainReward } from './training/train-reward.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-lower-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const unopened: Open = () => assert.fail('the model is not needed')
const prompts = ['a red ball', 'a blue ball', 'white']
let config: RewardTrainConfig
before(async () => {
  cpSync(join(fixtures, 'clip'), at('clip'), { recursive: true })
  const feedback = await judgedStore(folder, prompts, 3)
  const settings = { feedback, encoder: at('clip'), epochs: 4, heldOut: 0, threads: 1, device: 'cpu', shrink: false }
  config = RewardTrainConfig.parse({ ...settings, ensemble: 3, out: at('run') })
  await trainReward(config, unopened)
})
const open = (name: string) => openReward(name, config, unopened)

test('it is the mean of the members less k of their standard deviations', async () => {
  const ids = Array.from({ length: 9 }, (_, i) => String(i).padStart(16, '0'))
  const pictures = await Promise.all(ids.map((id) => readPicture(at(`images/${id}.png`))))
  const texts = ids.map((_, i) => prompts[Math.floor(i / 3)])
  const [mean, one, two] = await Promise.all(
    [0, 1, 2].map(async (k) => scorePictures(await open(`lower(${at('run')}; k=${k})`), pictures, texts)),
  )
  const unsure = JSON.parse(readFileSync(join(at('run'), 'uncertainties.json'), 'utf8')) as Record<string, number>
  const deviations = ids.map((id) => unsure[id])
  assert.ok(Math.max(...deviations) > 0.01)
  assertClose(mean.map((score, i) => score - one[i]), deviations, 1e-5) // prettier-ignore
  assertClose(mean.map((score, i) => score - two[i]), deviations.map((one) => 2 * one), 1e-5) // prettier-ignore
  assert.ok(mean.every((score) => score > 0 && score < 1))
})

test('it is named as it was asked for, has gradients, and is no other reward than its own', async () => {
  const name = `lower(${at('run')})`
  const [bound, reward] = [await open(name), await open(at('run'))]
  assert.equal(bound.name, name)
  assert.ok(bound.scoreWithGradient !== undefined)
  assert.ok(sharesPart(bound.sha256, reward.sha256) && bound.sha256 !== reward.sha256)
  assert.notEqual((await open(`lower(${at('run')}; k=2)`)).sha256, bound.sha256)
})

test('what has no ensemble has no such bound, and members of another head are refused', async () => {
  await assert.rejects(open('lower(brightness)'), { name: ConfigError.name, received: 'brightness, which has none' })
  cpSync(at('run'), at('other'), { recursive: true })
  cpSync(join(at('run'), 'reward.safetensors'), join(at('other'), ensembleName))
  await assert.rejects(open(`lower(${at('other')})`), {
    name: FormatError.name,
    where: join(at('other'), ensembleName),
  })
})
