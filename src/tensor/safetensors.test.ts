import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { AttuneError, FileError, FormatError } from '../errors.ts'
import { tensor, zeros } from './create.ts'
import { dtypes } from './dtype.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from './safetensors.ts'
import { livingTensors, tensorScope } from './scope.ts'

const fixture = fileURLToPath(new URL('../../test/fixtures/tensor-formats.safetensors', import.meta.url))
let folder: string
before(() => void (folder = mkdtempSync(join(tmpdir(), 'safetensors-'))))
after(() => rmSync(folder, { recursive: true }))

/** A file of this header text and so many bytes of elements. */
function fileOf(header: string, elements = 0, length = Buffer.byteLength(header)): string {
  const file = join(folder, 'made.safetensors')
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(length))
  writeFileSync(file, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(elements)]))
  return file
}

describe('safetensors', () => {
  it('reads what Python wrote and writes the same bytes', () => {
    using _scope = tensorScope()
    const { tensors, metadata } = readSafetensors(fixture)
    for (const dtype of dtypes) {
      assert.equal(tensors.get(dtype)!.dtype, dtype)
      assert.deepEqual(tensors.get(dtype)!.shape, [2, 3])
    }
    assert.deepEqual(tensors.get('empty')!.shape, [0, 4])
    assert.deepEqual(tensors.get('scalar')!.shape, [])
    assert.ok(tensors.has('quote " é'))
    const file = join(folder, 'same.safetensors')
    writeSafetensors(file, new Map([...tensors].reverse()), metadata)
    assert.deepEqual(readFileSync(file), readFileSync(fixture))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.partial')),
      [],
    )
  })

  it('reads the header alone, and only the tensors asked for', () => {
    using _scope = tensorScope()
    const before = livingTensors()
    const { entries, metadata } = readSafetensorsHeader(fixture)
    assert.ok(livingTensors() <= before)
    assert.deepEqual(entries.get('bfloat16')?.shape, [2, 3])
    assert.match(metadata.torch, /^2\./)
    const { tensors } = readSafetensors(fixture, { only: (name) => name.startsWith('int') })
    assert.deepEqual([...tensors.keys()].sort(), ['int16', 'int32', 'int64', 'int8'])
  })

  it('writes views in row-major order and metadata sorted by name', () => {
    using _scope = tensorScope()
    const file = join(folder, 'view.safetensors')
    const view = tensor([1, 2, 3, 4], [2, 2]).transpose(0, 1).requireGrad()
    writeSafetensors(file, new Map([['view', view]]), { b: '2', a: '1' })
    const { tensors, metadata } = readSafetensors(file)
    assert.deepEqual(tensors.get('view')!.toArray(), [1, 3, 2, 4])
    assert.deepEqual(Object.entries(metadata), [
      ['a', '1'],
      ['b', '2'],
    ])
    assert.equal(readSafetensorsHeader(file).start % 8, 0)
  })

  it('says what it cannot write or find', () => {
    using _scope = tensorScope()
    const one = new Map([['a', zeros([2])]])
    assert.throws(() => writeSafetensors(join(folder, 'missing', 'x'), one), FileError)
    assert.throws(() => readSafetensors(join(folder, 'missing')), FileError)
    assert.throws(() => readSafetensors(folder), /something that is not a file/)
  })

  const f32 = (shape: string, begin: number, end: number) =>
    `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`
  const refused: Record<string, [file: () => string, message: RegExp]> = {
    'an empty file': [
      () => (writeFileSync(join(folder, 'e'), ''), join(folder, 'e')),
      /a safetensors file, received an empty file/,
    ],
    'a header longer than the file': [() => fileOf('{}', 0, 90), /a header of 90 bytes, received a file of 10 bytes/],
    'a giant header': [() => fileOf('{}', 0, 2 ** 40), /a header of at most 16777216 bytes/],
    'bad JSON': [() => fileOf('{"a":'), /header: expected JSON/],
    'bad UTF-8': [() => fileOf('{}', 2, 4), /header: expected JSON/],
    'another JSON value': [() => fileOf('[]'), /expected a JSON object/],
    'truncated elements': [
      () => fileOf(`{"a":${f32('[2]', 0, 8)}}`, 7),
      /expected 47 bytes.*received 46|as the header/,
    ],
    'elements that nobody owns': [() => fileOf(`{"a":${f32('[2]', 0, 8)}}`, 12), /as the header says/],
    'a gap': [
      () => fileOf(`{"a":${f32('[1]', 0, 4)},"b":${f32('[1]', 8, 12)}}`, 12),
      / b: expected elements from byte 4/,
    ],
    'an overlap': [() => fileOf(`{"a":${f32('[2]', 0, 8)},"b":${f32('[1]', 4, 8)}}`, 8), / b: expected elements from/],
    'a wrong size': [
      () => fileOf(`{"a":${f32('[3]', 0, 8)}}`, 8),
      / a: expected 12 bytes for float32 \[3\], received 8/,
    ],
    'an end before the beginning': [() => fileOf(`{"a":${f32('[2]', 8, 0)}}`, 8), / a: expected 8 bytes.*received -8/],
    'a negative size': [() => fileOf(`{"a":${f32('[-2]', 0, 8)}}`, 8), / a: expected .*shape\.0/],
    'a broken size': [() => fileOf(`{"a":${f32('[0.5]', 0, 2)}}`, 2), / a: expected .*shape\.0/],
    'sizes beyond counting': [() => fileOf(`{"a":${f32('[4294967296,4294967296]', 0, 0)}}`), / a: expected .* bytes/],
    'three offsets': [() => fileOf('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}', 8), / a: .*data_offsets/],
    'no shape': [() => fileOf('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), / a: .*shape/],
    'an unknown element type': [
      () => fileOf('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 1),
      / a: expected one of the element types .*BF16.* received F8_E4M3/,
    ],
    'a name twice': [() => fileOf(`{"a":${f32('[1]', 0, 4)},"\\u0061":${f32('[1]', 4, 8)}}`, 8), / a: .*received two/],
    'a field twice': [() => fileOf(`{"a":{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}}`, 4), /two/],
    'too many tensors': [
      () => fileOf(`{${Array.from({ length: 50_002 }, (_, i) => `"${i}":{}`).join(',')}}`),
      /header: expected at most 50000 tensors/,
    ],
    'too many texts': [
      () => fileOf(`{"__metadata__":{${Array.from({ length: 250_001 }, (_, i) => `"${i}":""`).join(',')}}}`),
      /header: expected at most 250000 names/,
    ],
    'nine dimensions': [() => fileOf(`{"a":${f32('[1,1,1,1,1,1,1,1,1]', 0, 4)}}`, 4), /at most 8 dimensions/],
    'a name beyond reading': [() => fileOf(`{"${'a'.repeat(1025)}" :${f32('[]', 0, 4)}}`, 4), /at most 1024 bytes/],
    'lists within lists': [() => fileOf(`{"a":${'['.repeat(1e6)}`), /lists within lists/],
    'metadata that is not text': [() => fileOf('{"__metadata__":{"a":1}}'), /__metadata__: expected text by name/],
  }
  for (const [what, [make, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      const before = livingTensors()
      const file = make()
      const check = (error: unknown) => {
        assert.ok(error instanceof FormatError, String(error))
        assert.ok(error.message.startsWith(file), error.message)
        assert.match(error.message, message)
        return true
      }
      assert.throws(() => readSafetensors(file), check)
      assert.throws(() => readSafetensorsHeader(file), check)
      assert.ok(livingTensors() <= before)
    })
  }

  it('reads metadata of any length, whatever it spells', () => {
    const text = '\\n"[{,:'.repeat(500_000)
    const { metadata } = readSafetensorsHeader(fileOf(JSON.stringify({ __metadata__: { text } })))
    assert.equal(metadata.text, text)
  })

  it('accepts names that JavaScript finds special', () => {
    using _scope = tensorScope()
    const file = fileOf(
      `{"__proto__":${f32('[1]', 4, 8)},"constructor":${f32('[]', 8, 12)},"7":${f32('[1]', 0, 4)}}  `,
      12,
    )
    assert.deepEqual([...readSafetensors(file).tensors.keys()], ['7', '__proto__', 'constructor'])
  })

  it('reads back or refuses with a typed error whatever byte is damaged', () => {
    const whole = readFileSync(fixture)
    const file = join(folder, 'damaged.safetensors')
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.option(fc.nat(whole.length)), (at, byte, cut) => {
        using _scope = tensorScope()
        const damaged = Buffer.from(whole)
        damaged[at] = byte
        writeFileSync(file, damaged.subarray(0, cut ?? damaged.length))
        try {
          readSafetensors(file)
        } catch (error) {
          assert.ok(error instanceof AttuneError, String(error))
        }
      }),
      { numRuns: 300 },
    )
  })
})
