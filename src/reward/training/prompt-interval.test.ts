import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mean } from 'simple-statistics'
import { random } from '../../random.ts'
import { promptInterval } from './prompt-interval.ts'

interface Row {
  text: string
  value: number
}
const meanOf = (rows: readonly Row[]) => mean(rows.map(({ value }) => value))

test('the interval over prompts has the width that theory gives to the mean of prompts', () => {
  // Prompts differ with deviation 1 and their 10 rows not at all: 1.96/√100 to either side, however many rows there are.
  const stream = random(3)
  const rows = Array.from({ length: 100 }, (_, k) => ({ text: `${k}`, value: stream.normal() })).flatMap((row) =>
    Array.from({ length: 10 }, () => row),
  )
  const [low, high] = promptInterval(rows, meanOf, 1)!
  assert.ok(Math.abs((high - low) / (2 * 0.196) - 1) < 0.2, `${low} ${high}`)
  assert.ok(low < meanOf(rows) && meanOf(rows) < high)
  assert.deepEqual(promptInterval(rows, meanOf, 1), [low, high])
})

test('a single prompt has no interval over prompts, nor a statistic that no draw has', () => {
  const rows = [{ text: 'a', value: 1 }, { text: 'a', value: 2 }] // prettier-ignore
  assert.equal(promptInterval(rows, meanOf, 1), null)
  assert.equal(
    promptInterval([...rows, { text: 'b', value: 1 }], () => undefined, 1),
    null,
  )
})
