import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { gaussianModel, offset, shiftsFrom, slope } from '../policy/gaussian-model.test-helper.ts'
import { policyOf } from '../networks/generative-model.ts'
import { tensor } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import { encodePrompts, guidedPredictor, rowsFor } from './guided.ts'

const shifts = [
  [0.1, 0.2, 0.3, 0.4],
  [1, 2, 3, 4],
  [-1, -2, -3, -4],
]

describe('the guided prediction', () => {
  it('is unconditional + w · (conditional − unconditional), by hand; up to 1 the conditional one alone', () => {
    using _scope = tensorScope()
    const model = gaussianModel().with(shiftsFrom(shifts).change)
    const texts = ['high', '', 'low']
    const [rows, times] = [
      [2, 0, 1],
      [3, 0, 2],
    ]
    const xt = tensor(
      [0.5, -1, 2].flatMap((value) => new Array<number>(4).fill(value)),
      [3, 1, 2, 2],
    )
    for (const w of [-1, 0, 0.5, 1, 2.5]) {
      const predict = guidedPredictor(policyOf(model), encodePrompts(model, texts), { texts }, w)
      const found = predict(xt, tensor(times, [3], 'int64'))
      const expected = [0.5, -1, 2].map((x, i) => {
        const [empty, own] = [shifts[0][times[i]], shifts[rows[i]][times[i]]]
        return slope * x + offset + (w <= 1 ? own : empty + w * (own - empty))
      })
      assert.deepEqual(found.shape, [3, 1, 2, 2])
      assertClose(found.flatten(1).select(1, 3).toArray(), expected, 1e-6)
    }
  })
})

describe('the guided prediction with negative prompts', () => {
  it('leads away from them in the place of no prompt', () => {
    using _scope = tensorScope()
    const model = gaussianModel().with(shiftsFrom(shifts).change)
    const [texts, negatives] = [
      ['high', 'low'],
      ['low', ''],
    ]
    const prompts = encodePrompts(model, [...texts, ...negatives])
    const xt = tensor(new Array<number>(8).fill(0.5), [2, 1, 2, 2])
    const found = guidedPredictor(policyOf(model), prompts, { texts, negatives }, 3)(xt, tensor([3, 1], [2], 'int64'))
    // Rows of `shifts`: no prompt, low, high.
    const expected = [
      [1, 2, 3],
      [0, 1, 1],
    ].map(([away, own, time]) => {
      const [from, to] = [shifts[away][time], shifts[own][time]]
      return slope * 0.5 + offset + from + 3 * (to - from)
    })
    assertClose(found.flatten(1).select(1, 3).toArray(), expected, 1e-6)
  })
})

describe('encoded prompts', () => {
  it('are held once each, the empty one first', () => {
    using _scope = tensorScope()
    const model = gaussianModel().with(shiftsFrom(shifts).change)
    const encoded = encodePrompts(model, ['high', 'low', 'high', ''])
    assert.deepEqual(
      [...encoded.rowOf],
      [
        ['', 0],
        ['high', 1],
        ['low', 2],
      ],
    )
    assert.deepEqual(encoded.table.shift.shape, [3, 4])
    assertClose(rowsFor(encoded, ['low', '', 'high']).shift.toArray(), [shifts[1], shifts[0], shifts[2]].flat(), 1e-6)
  })
})
