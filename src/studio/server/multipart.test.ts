/** Parts are the same however a body is cut into pieces. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StudioError } from '../../errors.ts'
import { boundaryOf, partsOf } from './multipart.ts'

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function read(bytes: Uint8Array, boundary: string, size: number) {
  const parts: { name: string; file: string | undefined; content: Buffer }[] = []
  for await (const { name, file, content } of partsOf(cut(bytes, size), boundary)) {
    const pieces: Uint8Array[] = []
    for await (const piece of content) pieces.push(piece)
    parts.push({ name, file, content: Buffer.concat(pieces) })
  }
  return parts
}

const nearly = fc.array(fc.constantFrom('\r', '\n', '-', '\r\n--', 'x', '\0', '\r\n--boundary'.slice(0, 8), 'é'), { maxLength: 12 }) // prettier-ignore

test('what a browser writes comes out again, in pieces of any size', async () => {
  const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[%\\]/.test(text))
  const part = fc.record({ name, file: fc.option(name, { nil: undefined }), content: nearly })
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      async (sent, size) => {
        const form = new FormData()
        for (const { name: field, file, content } of sent) {
          if (file === undefined) form.append(field, content.filter((text) => !/[\r\n]/.test(text)).join(''))
          else form.append(field, new Blob([content.join('')]), file)
        }
        const request = new Request('http://localhost', { method: 'POST', body: form })
        const boundary = boundaryOf(request.headers.get('content-type'))
        const bytes = new Uint8Array(await request.arrayBuffer())
        const parts = await read(bytes, boundary, size)
        const expected = await Promise.all(
          [...form].map(async ([field, value]) =>
            typeof value === 'string'
              ? { name: field, file: undefined, content: Buffer.from(value) }
              : { name: field, file: value.name, content: Buffer.from(await value.arrayBuffer()) },
          ),
        )
        assert.deepEqual(parts, expected)
      },
    ),
    { numRuns: 60 },
  )
})

test('blanks after a delimiter, lines around the form and other lines of a head mean nothing', async () => {
  const odd = [
    'a preamble\r\n--x \t \r\n',
    'content-type: text/plain\r\nContent-Disposition: form-data; filename="C:\\a\\..\\b.png"; name="name; filename=c"\r\n',
    'content-disposition: form-data; name="second"\r\n\r\n--x-\r\n --x\r\n--\r\n--x--\r\n--x\r\nan epilogue',
  ].join('')
  for (const size of [1, 2, 3, 17, 1000]) {
    assert.deepEqual(await read(Buffer.from(odd), 'x', size), [
      { name: 'name; filename=c', file: 'C:\\a\\..\\b.png', content: Buffer.from('--x-\r\n --x\r\n--') },
    ])
  }
})

test('what is no form is refused, and so is one that ends too early', async () => {
  const whole = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
  assert.equal((await read(Buffer.from(whole), 'x', 7)).length, 1)
  const broken = [
    '',
    'nothing',
    whole.slice(0, -6),
    whole.slice(0, 30),
    '--x\r\n\r\n1\r\n--x--',
    '--x\r\ncontent-disposition: form-data\r\n\r\n1\r\n--x--',
    `--x\r\ncontent-disposition: form-data; name="${'a'.repeat(40_000)}"`,
    whole.replace('--x--', '--x'),
    whole.replace('--x--', '--x-'),
    whole.replace('--x--', '--xy'),
    whole.replace('--x\r\n', '--x\n'),
    whole.replace('--x\r\n', `--x${' '.repeat(1000)}\r\n`),
    whole.replace('name="a"', 'name=a'),
    whole.replace('name="a"', 'filename="name=a"'),
    whole.replace('form-data', 'attachment'),
    `${whole.slice(0, -8)}\r\n--xbut this is of the content\r\n--x--`,
  ]
  for (const text of broken) {
    await assert.rejects(
      read(Buffer.from(text), 'x', 11),
      (error) => error instanceof StudioError && error.status === 400,
    )
  }
  for (const type of [null, 'application/json', 'multipart/form-data', 'multipart/form-data; boundary=']) {
    assert.throws(
      () => boundaryOf(type),
      (error) => error instanceof StudioError && error.status === 415,
    )
  }
})
