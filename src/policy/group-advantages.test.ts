import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { ConfigError } from '../errors.ts'
import { random } from '../random.ts'
import { groupAdvantages, mostAdvantage } from './group-advantages.ts'
import { drawPrompts, expectWholeGroups } from './prompt-groups.ts'

describe('advantages of groups', () => {
  it('by hand, of members that do not stand together: by the deviation of the group, and of the batch', () => {
    const [rewards, groups] = [[1, 10, 3, 14], ['a', 'b', 'a', 'b']] // prettier-ignore
    assertClose(groupAdvantages(rewards, groups, 'group'), [-1 / 1.0001, -2 / 2.0001, 1 / 1.0001, 2 / 2.0001], 1e-12)
    const overall = Math.sqrt((36 + 9 + 16 + 49) / 4) + 1e-4
    assertClose(groupAdvantages(rewards, groups, 'batch'), [-1, -2, 1, 2].map((one) => one / overall), 1e-12) // prettier-ignore
  })

  for (const deviation of ['group', 'batch'] as const) {
    it(`are those of NumPy, by the deviation of the ${deviation}`, () => {
      const { prompts, rewards, groups } = JSON.parse(
        readFileSync(new URL('../../test/fixtures/policy-gradient.json', import.meta.url), 'utf8'),
      ) as { prompts: string[]; rewards: number[]; groups: Record<typeof deviation, number[]> }
      assertClose(groupAdvantages(rewards, prompts, deviation), groups[deviation], 1e-9)
    })

    it(`are exactly 0 where a group has no spread, or one member, by the deviation of the ${deviation}`, () => {
      const rewards = [0.1, 0.1, 0.1, 0.7, -5, -4]
      assert.deepEqual(groupAdvantages(rewards, ['a', 'a', 'a', 'b', 'c', 'c'], deviation).slice(0, 4), [0, 0, 0, 0])
      assert.deepEqual(groupAdvantages([0.3, 0.3, 0.3], ['a', 'a', 'b'], deviation), [0, 0, 0])
    })

    it(`are bounded, by the deviation of the ${deviation}`, () => {
      const rewards = [1, ...new Array<number>(40).fill(0)]
      const advantages = groupAdvantages(rewards, rewards.map(() => 'a'), deviation) // prettier-ignore
      assert.equal(advantages[0], mostAdvantage)
      assert.equal(groupAdvantages(rewards.map((one) => -one), rewards.map(() => 'a'), deviation)[0], -mostAdvantage) // prettier-ignore
    })
  }
})

describe('prompts of an iteration', () => {
  it('are whole groups, each prompt equally often', () => {
    const drawn = drawPrompts(['a', 'b', 'c'], 24, random(1), 4)
    for (let from = 0; from < 24; from += 4) assert.equal(new Set(drawn.slice(from, from + 4)).size, 1)
    assert.deepEqual(Map.groupBy(drawn, (text) => text).values().map(({ length }) => length).toArray(), [8, 8, 8]) // prettier-ignore
    assert.equal(new Set(drawPrompts(['a', 'b', 'c'], 12, random(2), 4)).size, 3)
  })

  it('are refused where they are no whole groups, with the nearest number that is', () => {
    const settings = { groupSize: 8, rolloutsPerIteration: 96, imagesDrawn: 960 }
    expectWholeGroups(settings)
    for (const wrong of [{ rolloutsPerIteration: 95 }, { imagesDrawn: 20 }, { groupSize: 7 }]) {
      assert.throws(() => expectWholeGroups({ ...settings, ...wrong }), ConfigError)
    }
    assert.throws(() => expectWholeGroups({ ...settings, rolloutsPerIteration: 3 }), /use 8/)
  })
})
