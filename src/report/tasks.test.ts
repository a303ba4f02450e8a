import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { ModelConfig, Open } from '../images/open-model.ts'
import type { Picture } from '../images/png.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { gaussianModel, shiftsFrom } from '../policy/gaussian-model.test-helper.ts'
import { rewardFileName, writeReward } from '../reward/reward-file.ts'
import { freshHead } from '../reward/heads/reward-head.ts'
import { startRun } from '../run.ts'
import { cat, ones } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readDrawn, type EvaluationPlan } from './draw.ts'
import type { Evaluation, WorldJudge } from './evaluate.ts'
import { tensorScope } from '../tensor/scope.ts'
import { doReportTask, readFeatures, type ReportTask } from './tasks.ts'

useThreads(1)

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))

/** The Gaussian model with grey pictures of 2 x 2 pixels. */
function grey(model: GenerativeModel): GenerativeModel {
  const inColour: Pick<GenerativeModel, 'decode' | 'with'> = {
    decode: ([x0]) => cat([x0, x0, x0], 1).clamp(-1, 1),
    with: (change) => grey(model.with(change)),
  }
  return Object.assign(Object.create(model) as GenerativeModel, inColour)
}

const unit = (rows: Tensor) => rows.mul(rows.square().sum(1, true).rsqrt())
const brightness = (pixels: Tensor) => unit(cat([pixels.flatten(1), ones([pixels.shape[0], 1])], 1))
/** Bright pictures agree with every text: the fresh head of a reward prefers them. */
const encoder: ImageTextEncoder = {
  name: 'brightness',
  sha256: 'b'.repeat(64),
  width: 13,
  device: 'cpu',
  embedImages: brightness,
  embedWithGradient: brightness,
  embedTexts: (texts) => unit(ones([texts.length, 13])),
}

/** The policy `bright` predicts brighter images than the model for both prompts. */
const open: Open = (_, policy = null) => {
  const model = grey(gaussianModel())
  const [none, more] = [
    [0, 0, 0, 0],
    [0.6, 0.6, 0.6, 0.6],
  ]
  const bright = shiftsFrom([none, more, more]).change
  return Promise.resolve({ model, encoder, policy: policy === null ? model : model.with(bright) })
}

const judge: WorldJudge = {
  read(picture: Picture) {
    const isBright = picture.bytes[0] > 127
    return { clean: true, isAligned: ({ color }) => (color === 'white') === isBright, twin: () => picture }
  },
  render: ({ color }) => ({ bytes: new Uint8Array(12).fill(color === 'white' ? 255 : 0), width: 2, height: 2 }),
  space: { network: 'the pixels', resize: 'not resized' },
  features: (pixels) => pixels.flatten(1),
}

function rewardFolder(): string {
  using run = startRun({ folder: join(folder, 'reward'), stage: 'reward train', config: {} })
  writeReward(run.path(rewardFileName), freshHead('agreement', encoder.width, 1), encoder)
  run.finish()
  return run.folder
}

test('the tasks of a report: images, their KL, and both ways of measuring them', async () => {
  const plan: EvaluationPlan = {
    prompts: (['low', 'high'] as const).map((text, p) => ({
      id: text,
      text,
      category: 'other',
      attributes: { color: 'white' },
      split: p === 0 ? 'seen' : 'unseen',
    })),
    imagesPerPrompt: 8,
    seed: 4,
    sampling: { steps: 4, eta: 1, guidance: 1 },
    sampler: 'ddim',
    klRollouts: 4,
  }
  const model: ModelConfig = {
    model: 'gaussian',
    resolution: null,
    mixedPrecision: null,
    device: null,
    deterministic: false,
    vaeTiling: false,
    vae: null,
    predictionType: null,
    modelConfig: null,
    threads: null,
  }
  const reward = rewardFolder()
  const heard: number[] = []
  const perform = (task: ReportTask) =>
    doReportTask(task, { open, judgeOf: () => Promise.resolve(judge) }, (count) => heard.push(count))
  const drawing = ([name, candidate, policy]: readonly [string, number, string?]): ReportTask => ({
    plan,
    model,
    kind: 'images',
    reward,
    candidate,
    file: join(folder, `${name}.safetensors`),
    ...(policy === undefined ? {} : { policy }),
  })
  const [base, other, reference, bright] = (
    [
      ['base', 0],
      ['other', 1],
      ['reference', 2],
      ['bright', 0, 'bright'],
    ] as const
  ).map(drawing)
  for (const task of [base, other, reference, bright]) assert.equal(await perform(task), null)
  assert.deepEqual(heard, [16, 16, 16, 16])
  const [fileOfBase, fileOfOther, fileOfReference, fileOfBright] = ['base', 'other', 'reference', 'bright'].map(
    (name) => join(folder, `${name}.safetensors`),
  )
  assert.equal(readDrawn(fileOfBase).pictures.length, 16)

  const kl = (await perform({ plan, model, kind: 'kl', policy: 'bright' })) as number[][]
  assert.deepEqual(
    kl.map((list) => list.length),
    [2, 2],
  )
  assert.ok(kl.flat().every((nats) => nats > 0))

  const features = join(folder, 'features.safetensors')
  const judged = async (files: string[]) =>
    (await perform({ plan, model, kind: 'judge', files, features })) as Evaluation
  assert.ok(shareOf(await judged([fileOfBright])) > shareOf(await judged([fileOfBase])))

  const { heldOut } = (await perform({
    ...{ plan, model, kind: 'judge', files: [fileOfBright], features },
    heldOutReward: 'brightness',
  })) as Evaluation
  assert.deepEqual(
    heldOut!.map((list) => list.length),
    [8, 8],
  )
  assert.ok(heldOut!.flat().every(Number.isFinite))

  {
    using _scope = tensorScope()
    const read = readFeatures(features)
    assert.deepEqual(
      [read.features.shape[0], read.reference.shape, read.features.dtype],
      [16, read.features.shape, 'float64'],
    )
  }

  const compared = async (files: string[]) =>
    (await perform({
      plan,
      model,
      kind: 'compare',
      files,
      features,
      base: fileOfBase,
      scorer: reward,
      reference: fileOfReference,
    })) as Evaluation
  assert.equal(shareOf(await compared([fileOfBase])), 0.5)
  assert.ok(shareOf(await compared([fileOfBright])) > 0.8)
  // the better of two is the base's own or better
  const best = await compared([fileOfBase, fileOfOther])
  assert.ok(best.aligned.flat().every((win) => win >= 0.5))
  assert.ok(shareOf(best) > 0.5)
})

const shareOf = ({ aligned }: Evaluation) => aligned.flat().reduce((sum, one) => sum + one, 0) / aligned.flat().length
