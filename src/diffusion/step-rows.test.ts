import assert from 'node:assert/strict'
import { it } from 'node:test'
import { tensor } from '../tensor/create.ts'
import { StepRows } from './step-rows.ts'
import { withoutLeak } from './tensor-checks.test-helper.ts'

const steps = [0.1, 0.7, 1 / 3].map((mean, t) => ({ t, mean, isNoisy: true }))
const rows = (...at: number[]) =>
  new StepRows(
    at.map((place) => steps[place]),
    'cpu',
  )

it('a sample has the same numbers, to the bit, whatever the steps of the others', () => {
  withoutLeak(() => {
    const states = tensor([0.3, -1.7, 2.9, 5, 7, 11], [3, 2])
    for (const dtype of ['float32', 'float64'] as const) {
      const wide = states.to(dtype)
      const mixed = rows(2, 0, 1).times('mean', wide, wide)
      steps.forEach((_, place) => {
        const at = [2, 0, 1].indexOf(place)
        const alone = rows(place, place, place).times('mean', wide, wide)
        assert.deepEqual(mixed.select(0, at).toArray(), alone.select(0, at).toArray())
      })
    }
    // What is said in fewer bits is widened first, not the product.
    const said = states.to('bfloat16')
    const product = rows(1, 1, 1).times('mean', said, states)
    assert.equal(product.dtype, 'float32')
    assert.deepEqual(product.toArray(), rows(1, 1, 1).times('mean', said.to('float32'), states).toArray())
  })
})

it('has times as whole numbers, and parts of it are those of the samples', () => {
  withoutLeak(() => {
    const all = rows(2, 0, 1, 1)
    assert.deepEqual([all.count, all.of('t', 'int64').toArray()], [4, [2, 0, 1, 1]])
    assert.deepEqual(all.slice(1, 3).of('mean', 'float64').toArray(), [0.1, 0.7])
    assert.deepEqual(all.slice(2, 4).of('mean', 'float32').toArray(), [0.7, 0.7].map(Math.fround))
  })
})
