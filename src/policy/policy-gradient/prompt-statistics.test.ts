import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { FormatError } from '../../errors.ts'
import { PromptStatistics } from './prompt-statistics.ts'

const { iterations, tracked } = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/policy-gradient.json', import.meta.url), 'utf8'),
) as { iterations: [texts: string[], rewards: number[]][]; tracked: number[][] }

const judged = (statistics: PromptStatistics, texts: string[], rewards: number[]) =>
  statistics.judge({ texts, rewards, sigmas: [undefined, undefined] as never })

describe('advantages by the latest rewards of each prompt', () => {
  it('are those of a queue a prompt in Python, of every step alike', () => {
    const statistics = new PromptStatistics({ promptMemory: 3 })
    iterations.forEach(([texts, rewards], i) => {
      const { advantages } = judged(statistics, texts, rewards)
      assertClose(advantages[0], tracked[i], 1e-9)
      assert.deepEqual(advantages[1], advantages[0])
    })
  })

  it('say how many prompts have statistics of their own', () => {
    const statistics = new PromptStatistics({ promptMemory: 3 })
    const shares = iterations.map(([texts, rewards]) => judged(statistics, texts, rewards).figures.own_statistics)
    assert.deepEqual([...shares, judged(statistics, ['a', 'd'], [1, 2]).figures.own_statistics], [0, 1, 1, 0.5])
  })

  it('are the same after a state that went through JSON', () => {
    const [one, other] = [new PromptStatistics({ promptMemory: 3 }), new PromptStatistics({ promptMemory: 3 })]
    for (const [texts, rewards] of iterations.slice(0, 2)) judged(one, texts, rewards)
    other.load(JSON.parse(JSON.stringify({ ...one.state(), tensors: undefined })) as never)
    assert.deepEqual(judged(other, ...iterations[2]), judged(one, ...iterations[2]))
    assert.throws(() => other.load({ tensors: new Map(), numbers: {} }), FormatError)
  })

  it('are exactly 0 where all rewards are the same, and bounded', () => {
    const statistics = new PromptStatistics({ promptMemory: 2 })
    assert.deepEqual(judged(statistics, ['a', 'a', 'b'], [0.1, 0.1, 0.1]).advantages[0], [0, 0, 0])
    const many = [...new Array<string>(40).fill('c'), 'd']
    const rewards = many.map((text) => (text === 'd' ? 100 : 0))
    assert.equal(judged(statistics, many, rewards).advantages[0][40], 5)
  })
})
