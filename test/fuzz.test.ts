/** Some hostile files for the readers of imports; `scripts/fuzz.ts` tries all readers for as long as there is time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputOf } from '../scripts/fuzz/inputs.ts'
import { readers } from '../scripts/fuzz/readers.ts'
import { watchReader } from '../scripts/fuzz/watch.ts'

for (const name of ['judgments csv', 'pick-a-pic', 'label-studio', 'upload png', 'safetensors', 'adapter config']) {
  test(`${name}: hostile files are refused or read`, async () => {
    const reader = readers.find((one) => one.name === name)!
    const { tried, findings } = await watchReader(reader, 1, 100, Infinity)
    assert.equal(tried, 100)
    assert.equal(findings.map(({ number, what }) => `${number}: ${what.slice(0, 300)}`).join('\n'), '')
  })
}

test('the same seed makes the same input', () => {
  const sound = [Buffer.from('{"a": [1, "b"]}')]
  const make = (name: string, seed: number) =>
    Array.from({ length: 50 }, (_, i) =>
      Buffer.from(inputOf({ name, form: 'json' }, sound, seed, i)).toString('latin1'),
    ).join()
  assert.equal(make('a', 1), make('a', 1))
  assert.ok(make('a', 1) !== make('a', 2) && make('a', 1) !== make('b', 1))
})
