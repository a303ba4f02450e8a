/** Files that become far larger than they are, sent to the studio: each is refused by its name, and the studio goes on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { crc32, gzipSync } from 'node:zlib'
import * as made from '../../feedback/formats/parquet.test-helper.ts'
import { testStudio, type TestStudio } from '../studio.test-helper.ts'

let studio: TestStudio
before(async () => void (studio = await testStudio()))
after(() => studio[Symbol.asyncDispose]())

async function send(path: string, fields: Readonly<Record<string, string | File>>) {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  const answer = await studio.app.request(path, { method: 'POST', headers: { 'x-attune': '1' }, body })
  return { status: answer.status, text: await answer.text() }
}

/** A PNG that says it is so wide and high. */
function claimingPng(side: number): Uint8Array<ArrayBuffer> {
  const header = Buffer.from('IHDR\0\0\0\0\0\0\0\0\x01\0\0\0\0', 'latin1')
  header.writeUInt32BE(side, 4)
  header.writeUInt32BE(side, 8)
  const bytes = Buffer.alloc(8 + 4 + header.length + 4)
  bytes.write('89504e470d0a1a0a0000000d', 'hex')
  header.copy(bytes, 12)
  bytes.writeUInt32BE(crc32(header), 12 + header.length)
  return new Uint8Array(bytes)
}

test('pictures', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/hostname"/></svg>'
  const pictures: Readonly<Record<string, readonly [File, RegExp]>> = {
    'of 3.6 thousand million pixels': [new File([claimingPng(60_000)], 'a.png'), /60000 × 60000 pixels|a broken one/],
    'that are SVG': [new File([svg], 'a.png'), /PNG, JPEG or WebP image, received a text/],
    'that are a zip archive': [new File(['PK\x03\x04'.repeat(9)], 'a.png'), /a zip archive/],
  }
  for (const [name, [files, complaint]] of Object.entries(pictures)) {
    const { status, text } = await send('/api/uploads', { files, prompts: '["a cat"]' })
    assert.equal(status, 200, name)
    const { images, broken } = JSON.parse(text) as { images: number; broken: { reason: string }[] }
    assert.deepEqual([images, broken.length], [0, 1], name)
    assert.match(broken[0].reason, complaint, name)
  }
})

test('judgments', async () => {
  const columns = made.pickColumns(3, Uint8Array.of(255, 216, 255))
  const parquet = (page: made.MadePage, codec = 0) =>
    made.madeParquet(
      3,
      columns.map((column) => (column.name === 'caption' ? { ...column, codec, pages: [page] } : column)),
    )
  const files: Readonly<Record<string, readonly [string, string | Uint8Array, RegExp]>> = {
    'a run of 2³¹ values': [
      'pick-a-pic',
      parquet(made.dataPage(2 ** 31 - 1, 8, [2, 254, 255, 255, 255, 15, 1])),
      /3 mo/,
    ],
    'a page of 1 GB': ['pick-a-pic', parquet(made.dataPage(3, 0, gzipSync('a'), { 2: 1e9 }), 2), /a page of at most/],
    'a row of a million cells': ['csv', `image,answer\n${','.repeat(1e6)}`, /at most 16384 cells/],
    'JSON that is deep': ['label-studio', '['.repeat(1e6), /JSON/],
  }
  for (const [name, [format, content, complaint]] of Object.entries(files)) {
    const { status, text } = await send('/api/import', {
      format,
      file: new File([typeof content === 'string' ? content : new Uint8Array(content)], 'a'),
    })
    assert.equal(status, 400, `${name}: ${text}`)
    assert.match(text, complaint, name)
  }
})
