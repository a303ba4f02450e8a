import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FileError, FormatError } from '../errors.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { startRun } from '../run.ts'
import { shapesModel } from '../shapes/model.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { full, randn, tensor } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { useThreads } from '../tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import { loraFileName, policyFileName } from '../run-files.ts'
import { openChange, provenanceOf, writePolicy } from './policy-file.ts'
import { trainableChange, type Trainable } from './trainable.ts'

useThreads(1)

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))

const lora: Trainable = { parameters: 'lora', rank: 3, loraAlpha: 6, loraLayers: ['attention', 'convolutions'] }
const text: Trainable = { ...lora, parameters: 'text' }

function predict(model: GenerativeModel): number[] {
  return withoutGrad(() => {
    const xt = randn([2, 3, 24, 24], new Generator(4))
    return policyOf(model)
      .predict(xt, tensor([900, 40], [2], 'int64'), model.encodeText(['two red rings', '']))
      .toArray()
  })
}

function freshModel(sha256 = 'f'.repeat(64)): GenerativeModel {
  const model = shapesModel(Weights.fresh(1), sha256)
  predict(model)
  return model
}

/** A change that does something, in a finished run. */
function writtenRun(name: string, model: GenerativeModel, trainable: Trainable) {
  const made = trainableChange(model, trainable, 1)
  const generator = new Generator(9)
  withoutGrad(() => {
    for (const parameter of made.parameters.values()) parameter.add_(randn(parameter.shape, generator).mul(0.05))
  })
  const source = join(folder, name)
  using run = startRun({ folder: source, stage: 'policy dpok', config: {} })
  writePolicy((file) => run.path(file), model, made, { algorithm: 'dpok', seed: 1 })
  run.finish()
  return { source, expected: predict(model.with(made.change)) }
}

for (const [kind, trainable, name] of [
  ['lora', lora, loraFileName],
  ['text', text, policyFileName],
] as const) {
  test(`a policy survives its file, with where it comes from (${kind})`, () => {
    using _scope = tensorScope()
    const model = freshModel()
    const { source, expected } = writtenRun(kind, model, trainable)
    const { file, change } = openChange(model, source)
    assert.equal(file, join(source, name))
    assert.deepEqual(predict(model.with(change)), expected)
    assert.deepEqual(provenanceOf(file), {
      'attune.algorithm': 'dpok',
      'attune.seed': '1',
      'attune.model': 'shapes',
      'attune.modelSha256': 'f'.repeat(64),
      'attune.predictionType': 'x0',
    })
    // The hash of another precision or of a fine-tune: shapes decide.
    const other = freshModel('e'.repeat(64))
    assert.deepEqual(predict(other.with(openChange(other, source).change)), expected)
  })
}

test('a LoRA file is a policy, in a folder of diffusers or alone, whoever wrote it', () => {
  using _scope = tensorScope()
  const model = freshModel()
  const { source, expected } = writtenRun('own', model, lora)
  const file = join(source, loraFileName)
  assert.deepEqual(predict(model.with(openChange(model, file).change)), expected)

  const foreign = join(folder, 'foreign')
  mkdirSync(foreign)
  const { tensors } = readSafetensors(file)
  writeSafetensors(join(foreign, loraFileName), tensors)
  assert.deepEqual(predict(model.with(openChange(model, foreign).change)), expected)
})

test('refuses what is no policy, and a run that is not finished', () => {
  using _scope = tensorScope()
  const model = freshModel()
  const foreign = join(folder, 'foreign.safetensors')
  writeSafetensors(foreign, new Map([['x', full([1], 0)]]), { format: 'attune-reward-1' })
  assert.throws(() => openChange(model, foreign), { name: FormatError.name })
  assert.throws(() => openChange(model, join(folder, 'missing')), FileError)
  const pickled = join(folder, 'lora.bin')
  writeFileSync(pickled, 'x')
  assert.throws(() => openChange(model, pickled), { name: FileError.name, where: pickled })
  const { source } = writtenRun('unfinished', model, lora)
  renameSync(join(source, 'manifest.json'), join(source, 'manifest.gone'))
  assert.throws(() => openChange(model, source), FileError)
})

test('refuses parameters of other shapes, or that the model does not have', () => {
  using _scope = tensorScope()
  const model = freshModel()
  const { source } = writtenRun('shapes', model, text)
  const file = join(source, policyFileName)
  const { tensors, metadata } = readSafetensors(file)
  const [name] = tensors.keys()
  for (const [changed, told] of [
    [new Map([...tensors, [name, full([1, 1], 0)]]), /received \[1, 1\]/],
    [new Map([...tensors, ['another.weight', full([1], 0)]]), /another\.weight.*does not have/],
  ] as const) {
    writeSafetensors(file, changed, metadata)
    assert.throws(() => openChange(model, source), told)
  }
})

test('has the strength that is asked for, where it is made of adapters', () => {
  using _scope = tensorScope()
  const model = freshModel()
  const { source, expected } = writtenRun('scaled', model, lora)
  const at = (loraScale: number) => predict(model.with(openChange(model, source, { loraScale }).change))
  assert.deepEqual(at(1), expected)
  const base = predict(model)
  const apart = (one: number[], other: number[]) => Math.max(...one.map((value, i) => Math.abs(value - other[i])))
  assert.ok(apart(at(0), base) < 1e-6)
  assert.ok(apart(at(0.5), base) > 1e-3)
  assert.ok(apart(at(0.5), expected) > 1e-3)
  const { source: trained } = writtenRun('unscaled', model, text)
  assert.throws(() => openChange(model, trained, { loraScale: 0.5 }), /--lora-scale: expected 1/)
})
