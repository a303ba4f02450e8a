import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DdimSampler } from '../diffusion/ddim.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { full } from '../tensor/create.ts'
import { fullSampler, gaussianModel, linearReward } from './gaussian-model.test-helper.ts'
import { rollOut } from './rollout.ts'

useThreads(1)

/** A sampler that takes one step of another so many times. */
function repeated(count: number): DdimSampler {
  const steps = Array.from({ length: count }, (_, index) => ({ ...fullSampler.steps[1], index }))
  return new DdimSampler(steps, 1, 'x0', undefined)
}

describe('an observer of roll-outs', () => {
  for (const { steps, every } of [
    { steps: 4, every: 1 },
    { steps: 19, every: 1 },
    { steps: 25, every: 2 },
    { steps: 50, every: 5 },
  ]) {
    it(`is shown every ${every === 1 ? 'step' : `${every} steps`} of ${steps}, and what it says holds until the next`, () => {
      using _scope = tensorScope()
      const shown: number[] = []
      const { observed } = rollOut(gaussianModel(), linearReward(0.5), ['low', 'high', 'low'], (i) => [1, i], {
        sampler: repeated(steps),
        guidance: 1,
        batchSize: 2,
        observer: ({ at, texts }) => {
          shown.push(at[0])
          return full([texts.length, 1], at[0])
        },
      })
      const expected = Array.from({ length: steps }, (_, step) => step - (step % every))
      const batch = [...new Set(expected)]
      assert.deepEqual(shown, [...batch, ...batch])
      assert.deepEqual(observed.map((each) => each.toArray()), expected.map((step) => [step, step, step])) // prettier-ignore
    })
  }
})

describe('roll-outs with streams of their own for x_T', () => {
  it('begin alike where these are the same, differ after it, and do not depend on their batch', () => {
    using _scope = tensorScope()
    const draw = (batchSize: number, startPath?: (i: number) => readonly [number, number]) =>
      rollOut(gaussianModel(), linearReward(0.5), ['low', 'low', 'high', 'high'], (i) => [1, i], {
        ...{ sampler: fullSampler, guidance: 1, batchSize },
        ...(startPath && { startPath }),
      })
    const alike = draw(4, (i) => [2, Math.floor(i / 2)])
    const rowsOf = (rollouts: typeof alike, step: number) =>
      [0, 1, 2, 3].map((row) => rollouts.states[step].select(0, row).toArray())
    const [begin, later] = [rowsOf(alike, 0), rowsOf(alike, 1)]
    assert.deepEqual([begin[0], begin[2]], [begin[1], begin[3]])
    assert.notDeepEqual(begin[0], begin[2])
    assert.notDeepEqual(later[0], later[1])
    assert.deepEqual(alike.noise.select(1, 0).toArray(), alike.states[0].toArray())
    assert.deepEqual(draw(3, (i) => [2, Math.floor(i / 2)]).states.map((one) => one.toArray()), alike.states.map((one) => one.toArray())) // prettier-ignore
    // The rest of the noise is that of each one's own stream.
    const apart = draw(4)
    assert.deepEqual(apart.noise.slice(1, 1, 5).toArray(), alike.noise.slice(1, 1, 5).toArray())
  })
})
