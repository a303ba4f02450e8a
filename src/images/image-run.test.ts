import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { FileError, FormatError } from '../errors.ts'
import { readImageList } from './image-run.ts'
import { readPngFile } from './png-file.ts'

let folder: string
let png: Buffer
const list = () => join(folder, 'run/images.jsonl')
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'attune-images-'))
  mkdirSync(join(folder, 'run/images'), { recursive: true })
  writeFileSync(join(folder, 'secret'), 'secret')
  symlinkSync('../../secret', join(folder, 'run/images/link.png'))
  png = await sharp({ create: { width: 3, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
})
after(() => rmSync(folder, { recursive: true }))

const record = (file: string) => ({
  id: '0123456789abcdef',
  prompt: 'p',
  text: 'a cat',
  category: 'other',
  file,
  sha256: 'a'.repeat(64),
  seed: 0,
  index: 0,
  policy: 'pretrained',
})

test('the files of a list lie below its folder', () => {
  const names = ['../secret', 'images/../../secret', '/etc/hostname', 'images/link.png', 'C:\\x.png', '..\\secret', '.']
  for (const name of names) {
    writeFileSync(list(), `${JSON.stringify(record('images/1.png'))}\n${JSON.stringify(record(name))}\n`)
    assert.throws(
      () => readImageList(list()),
      (error: unknown) => error instanceof FormatError && error.where === `${list()}:2 file`,
      name,
    )
  }
  writeFileSync(list(), `${JSON.stringify(record('images/1.png'))}\n`)
  assert.equal(readImageList(list())[0].file, 'images/1.png')
})

test('an image is a PNG file, whole and with nothing behind it', () => {
  const file = join(folder, 'run/images/1.png')
  writeFileSync(file, png)
  assert.deepEqual(Buffer.from(readPngFile(file)), png)
  const damaged = Buffer.from(png)
  damaged[45] ^= 1
  const others: readonly (Buffer | string)[] = [
    'secret',
    '',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    png.subarray(0, 8),
    png.subarray(0, png.length - 3),
    Buffer.concat([png, Buffer.from('secret')]),
    Buffer.concat([png.subarray(0, 8), Buffer.from('root:x:0:0:root:/root:/bin/sh')]),
    damaged,
  ]
  for (const bytes of others) {
    writeFileSync(file, bytes)
    assert.throws(() => readPngFile(file, 'image 1'), FormatError)
  }
  assert.throws(() => readPngFile(join(folder, 'none')), FileError)
  assert.throws(() => readPngFile(folder), FileError)
})
