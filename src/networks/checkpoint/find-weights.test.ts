import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import { ones } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { findWeights } from './find-weights.ts'

useThreads(1)
const stem = 'diffusion_pytorch_model'
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'weights-'))))
afterEach(() => rmSync(folder, { recursive: true }))

/** A file with tensors [2, 3] of these names. */
function write(file: string, keys: readonly string[], dtype: 'float32' | 'float16' = 'float32'): void {
  using _scope = tensorScope()
  writeSafetensors(join(folder, file), new Map(keys.map((key) => [key, ones([2, 3], dtype)])))
}

function writeIndex(file: string, shardOf: unknown): void {
  writeFileSync(join(folder, file), JSON.stringify({ metadata: { total_size: 48 }, weight_map: shardOf }))
}

const shards = [`${stem}-00001-of-00002.safetensors`, `${stem}-00002-of-00002.safetensors`]
function writeShards(names = shards, index = `${stem}.safetensors.index.json`): void {
  write(names[0], ['a'])
  write(names[1], ['b'])
  writeIndex(index, { a: names[0], b: names[1] })
}

function refuse(kind: typeof FileError | typeof FormatError, line: RegExp): void {
  assert.throws(
    () => findWeights(folder, stem),
    (error) => {
      assert.ok(error instanceof AttuneError && error instanceof kind)
      assert.match(error.message, line)
      assert.doesNotMatch(error.message, /\n/)
      return true
    },
  )
}

describe('findWeights', () => {
  it('finds a single file', () => {
    write(`${stem}.safetensors`, ['a', 'b'])
    const file = join(folder, `${stem}.safetensors`)
    const { entries, ...rest } = findWeights(folder, stem)
    assert.deepEqual(rest, { files: [file], bytes: 48 })
    assert.deepEqual(entries.get('a'), { file, dtype: 'float32', shape: [2, 3] })
    assert.equal(entries.size, 2)
  })

  it('finds shards', () => {
    writeShards()
    const { entries, files, bytes, variant } = findWeights(folder, stem)
    assert.deepEqual(
      files,
      shards.map((shard) => join(folder, shard)),
    )
    assert.equal(entries.get('b')?.file, files[1])
    assert.equal(bytes, 48)
    assert.equal(variant, undefined)
  })

  it('takes a variant where the plain file is missing, in all spellings', () => {
    write('model.fp16.safetensors', ['a'], 'float16')
    assert.equal(findWeights(folder, 'model').variant, 'fp16')
    for (const names of [
      [`${stem}-00001-of-00002.bf16.safetensors`, `${stem}-00002-of-00002.bf16.safetensors`],
      [`${stem}.fp16-00001-of-00002.safetensors`, `${stem}.fp16-00002-of-00002.safetensors`],
    ]) {
      const variant = names[0].includes('bf16') ? 'bf16' : 'fp16'
      writeShards(names, `${stem}.safetensors.index.${variant}.json`)
      const found = findWeights(folder, stem)
      assert.deepEqual(
        found.files,
        names.map((name) => join(folder, name)),
      )
      assert.equal(found.variant, variant)
    }
  })

  it('prefers the plain file, then the most exact', () => {
    write(`${stem}.bf16.safetensors`, ['a'])
    write(`${stem}.fp16.safetensors`, ['a'])
    write(`${stem}.non_ema.safetensors`, ['a'])
    write('model.safetensors', ['a'])
    assert.equal(findWeights(folder, stem).variant, 'fp16')
    writeShards()
    assert.equal(findWeights(folder, stem).files.length, 2)
    write(`${stem}.safetensors`, ['a'])
    assert.deepEqual(findWeights(folder, stem).files, [join(folder, `${stem}.safetensors`)])
  })

  it('refuses pickles and says how to convert them', () => {
    writeFileSync(join(folder, `${stem}.bin`), '')
    refuse(FileError, new RegExp(`only ${stem}.bin: a pickle, which runs any code .*from diffusers import AutoModel`))
    assert.throws(() => findWeights(folder, 'model'), /from transformers import AutoModel .*safe_serialization=True/)
  })

  it('converts the whole pipeline where the pickle is a part of one', () => {
    writeFileSync(join(folder, 'model_index.json'), '{}')
    mkdirSync(join(folder, 'unet'))
    writeFileSync(join(folder, 'unet', `${stem}.bin`), '')
    assert.throws(
      () => findWeights(join(folder, 'unet'), stem),
      (error: Error) => error.message.includes(`DiffusionPipeline as M; M.from_pretrained('${folder}').save`),
    )
  })

  it('refuses a folder without weights, or no folder', () => {
    refuse(FileError, /received no weights of this name/)
    assert.throws(() => findWeights(join(folder, 'none'), stem), /received no such folder/)
    write(`${stem}.safetensors`, ['a'])
    assert.throws(() => findWeights(join(folder, `${stem}.safetensors`), stem), FileError)
  })

  it('refuses shards without an index', () => {
    write(shards[0], ['a'])
    refuse(FileError, /received the shard diffusion_pytorch_model-00001-of-00002.safetensors without an index/)
  })

  it('names a missing shard and a tensor that it should hold', () => {
    writeShards()
    rmSync(join(folder, shards[1]))
    refuse(FileError, /index.json b: expected the shard \S+-00002-of-00002.safetensors, received no such file/)
  })

  it('names a tensor that its shard does not hold', () => {
    writeShards()
    writeIndex(`${stem}.safetensors.index.json`, { a: shards[0], b: shards[1], c: shards[1] })
    refuse(
      FormatError,
      /index.json c: expected this tensor in \S+-00002-of-00002.safetensors, received a shard without it/,
    )
    writeIndex(`${stem}.safetensors.index.json`, { a: shards[1], b: shards[1], x: shards[0] })
    refuse(FormatError, /index.json a: expected this tensor in \S+-00002-of-\S+, received it in \S+-00001-of-/)
  })

  it('names a tensor that two shards hold', () => {
    writeShards()
    write(shards[1], ['a', 'b'])
    refuse(FormatError, /00002.safetensors a: expected one tensor of this name, received another in \S+-00001-of/)
  })

  it('names a truncated shard', () => {
    writeShards()
    const file = join(folder, shards[1])
    writeFileSync(file, readFileSync(file).subarray(0, -5))
    refuse(FormatError, /00002-of-00002.safetensors: expected \d+ bytes, as the header says, received \d+/)
  })

  it('names a broken index', () => {
    writeShards()
    writeFileSync(join(folder, `${stem}.safetensors.index.json`), '{"weight_map": {')
    refuse(FormatError, /index.json: expected JSON/)
    writeIndex(`${stem}.safetensors.index.json`, undefined)
    refuse(FormatError, /index.json weight_map: expected record, received nothing/)
    writeIndex(`${stem}.safetensors.index.json`, { a: '../other/model.safetensors' })
    refuse(FormatError, /index.json weight_map.a: expected a file’s name, received "..\/other/)
  })
})
