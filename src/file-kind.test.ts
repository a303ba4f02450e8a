import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { FormatError } from './errors.ts'
import { otherBinaryKind, otherFileKind } from './file-kind.ts'
import { readCroppedPicture } from './images/cropped-picture.ts'
import { readPicture } from './images/png.ts'
import { readConfig } from './networks/checkpoint/component-config.ts'
import { openTokenizer } from './networks/clip/tokenizer.ts'
import { random } from './random.ts'
import { readSafetensorsHeader } from './tensor/safetensors.ts'
import { z } from 'zod'

const folder = mkdtempSync(join(tmpdir(), 'kind-'))
after(() => rmSync(folder, { recursive: true }))

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3438167534\n`
const page = '\n<!DOCTYPE html>\n<html class=""><head><title>Sign in</title></head></html>'
const pickle = Uint8Array.of(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e)
const zip = Buffer.from('PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl', 'latin1')

const kinds: [name: string, content: string | Uint8Array, received: RegExp, remedy: RegExp][] = [
  ['a git-lfs pointer', pointer, /a git-lfs pointer.*3438167534 bytes/, /git lfs pull/],
  ['a pointer with other line ends', pointer.replaceAll('\n', '\r\n'), /a git-lfs pointer/, /git lfs pull/],
  ['a web page', page, /a web page/, /download the file again/],
  ['an error as XML', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /a web page/, /again/],
  ['nothing', '', /an empty file/, /again/],
]
const binaryKinds: typeof kinds = [
  ...kinds,
  ['a pickle', pickle, /a pickle, which runs any code/, /take the safetensors variant/],
  ['a zip archive', zip, /a zip archive.*a pickle inside/, /take the safetensors variant/],
  ['a GGUF file', 'GGUF\x03\0\0\0', /a GGUF file/, /safetensors/],
  ['the answer of a server', '{"error":"Invalid username or password."}', /a text: \{"error"/, /again/],
]

describe('a file that is something else', () => {
  for (const [name, content, received, remedy] of binaryKinds) {
    it(`${name} is named in place of weights and pictures`, async () => {
      const file = join(folder, 'model.safetensors')
      writeFileSync(file, content)
      const isNamed = (error: unknown) =>
        error instanceof FormatError && received.test(error.received) && remedy.test(error.remedy)
      assert.throws(() => readSafetensorsHeader(file), isNamed)
      await assert.rejects(readPicture(file), isNamed)
      const cropping = { width: 8, height: 8, centerCrop: true, randomFlip: false }
      await assert.rejects(readCroppedPicture(file, cropping, random(0)), isNamed)
    })
  }

  for (const [name, content, received, remedy] of kinds) {
    it(`${name} is named in place of a config and of a vocabulary`, () => {
      const isNamed = (error: unknown) =>
        error instanceof FormatError && received.test(error.received) && remedy.test(error.remedy)
      for (const file of ['config.json', 'vocab.json', 'merges.txt']) writeFileSync(join(folder, file), content)
      assert.throws(() => readConfig(folder, 'config.json', z.object({})), isNamed)
      assert.throws(() => openTokenizer(folder), isNamed)
      writeFileSync(join(folder, 'vocab.json'), '{}')
      assert.throws(() => openTokenizer(folder), isNamed)
    })
  }

  it('is not seen in sound files', () => {
    // A header of 640 bytes: its length begins as a pickle does.
    assert.equal(otherBinaryKind(Uint8Array.of(0x80, 0x02, 0, 0, 0, 0, 0, 0, 0x7b)), undefined)
    assert.equal(otherFileKind(Buffer.from('{"_class_name": "UNet2DConditionModel"}')), undefined)
    assert.equal(otherFileKind(Buffer.from('#version: 0.2\ni n\n')), undefined)
  })

  it('a download that broke off is told by its size', () => {
    const file = join(folder, 'short.safetensors')
    const header = Buffer.from('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}')
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(header.length))
    writeFileSync(file, Buffer.concat([length, header, Buffer.alloc(7)]))
    assert.throws(
      () => readSafetensorsHeader(file),
      /expected 79 bytes.*received 70, a download or copy that broke off/,
    )
  })
})
