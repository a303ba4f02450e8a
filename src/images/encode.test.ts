import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { it } from 'node:test'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { Disposables } from '../disposables.ts'
import { gaussianModel } from '../policy/gaussian-model.test-helper.ts'
import { twoStageModel } from '../policy/two-stage-model.test-helper.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { encodeFiles } from './encode.ts'

const count = 150
const places = Array.from({ length: count }, (_, place) => place)
/** Every seventh image cannot be read, and none from 66 to 131: a whole part. */
const isThere = (place: number) => place % 7 !== 0 && (place < 66 || place >= 132)

const models = { 'one stage': gaussianModel, 'a second stage as the policy': () => twoStageModel(1) }

for (const [kind, open] of Object.entries(models)) {
  it(`what an earlier process has encoded is not encoded again, unless its part is damaged: ${kind}`, async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'attune-encode-'))
    using _scope = tensorScope()
    const living = livingTensors()
    let encoded = 0
    const inner = open()
    const model = Object.create(inner, {
      defaults: { value: { ...inner.defaults, batchSize: 3 } },
      encode: { value: (pixels: Tensor) => ((encoded += pixels.shape[0]), inner.encode(pixels)) },
    }) as GenerativeModel
    /** @param until the process ends before it reads this one */
    const encode = async (name: string | undefined, until = Infinity) => {
      encoded = 0
      const read = (some: readonly number[]) => {
        if (some.some((place) => place >= until)) throw new Error('killed')
        const pictureOf = (place: number) => ({ width: 2, height: 2, bytes: new Uint8Array(12).fill(place) })
        return Promise.resolve(some.map((place) => (isThere(place) ? pictureOf(place) : undefined)))
      }
      const measure = (_pictures: readonly unknown[], files: readonly number[]) => files.map((place) => place / 3)
      const parts = name === undefined ? undefined : new PartFiles(join(folder.path, name), 'key')
      const { states, ...rest } = await encodeFiles(model, places, read, { measure, ...(parts && { parts }) })
      using each = new Disposables()
      const values = [states.x0, ...states.earlier].map((state) => each.use(state).toArray())
      return { values, ...rest }
    }
    const whole = await encode(undefined)
    assert.deepEqual(whole.rows, places.filter(isThere))
    assert.deepEqual(
      whole.measured,
      whole.rows.map((place) => place / 3),
    )
    await assert.rejects(encode('parts', 140), /killed/)
    const names = readdirSync(join(folder.path, 'parts'))
    assert.deepEqual(names, ['000000.safetensors', '000066.safetensors'])
    assert.deepEqual(await encode('parts'), whole)
    assert.equal(encoded, whole.rows.filter((place) => place >= 132).length)
    assert.deepEqual(await encode('parts'), whole)
    assert.equal(encoded, 0)
    const first = join(folder.path, 'parts', names[0])
    const bytes = readFileSync(first)
    bytes[bytes.length - 9] ^= 1
    writeFileSync(first, bytes)
    assert.deepEqual(await encode('parts'), whole)
    assert.equal(encoded, whole.rows.filter((place) => place < 66).length)
    // One is the shift of the model.
    assert.ok(livingTensors() <= living + 1)
  })
}
