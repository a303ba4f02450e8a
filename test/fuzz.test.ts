/** Some hostile files for each reader; `scripts/fuzz.ts` tries them for as long as there is time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputOf } from '../scripts/fuzz/inputs.ts'
import { readers } from '../scripts/fuzz/readers.ts'
import { watchReaders } from '../scripts/fuzz/watch.ts'

test('hostile files are refused or read, by every reader', async () => {
  const { tried, findings } = await watchReaders(readers, 1, 15)
  assert.equal(tried, 15 * readers.length)
  assert.equal(findings.map(({ reader, number, what }) => `${reader} ${number}: ${what.slice(0, 300)}`).join('\n'), '')
})

test('the same seed makes the same input', () => {
  const sound = [Buffer.from('{"a": [1, "b"]}')]
  const make = (name: string, seed: number) =>
    Array.from({ length: 50 }, (_, i) =>
      Buffer.from(inputOf({ name, form: 'json' }, sound, seed, i)).toString('latin1'),
    ).join()
  assert.equal(make('a', 1), make('a', 1))
  assert.ok(make('a', 1) !== make('a', 2) && make('a', 1) !== make('b', 1))
})
