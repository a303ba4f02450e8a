import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { farAndWorse, lossRisen, type RewardRow } from './training-warnings.ts'

/** Rows of 96 roll-outs an iteration. */
const rowsOf = (rewards: readonly number[], klAt: (i: number) => number, std = 0.3): RewardRow[] =>
  rewards.map((reward, i) => ({
    step: i + 1,
    reward_mean: reward,
    reward_std: std,
    kl: klAt(i),
    images_drawn: 96 * (i + 1),
  }))
const line = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))

describe('a warning of a large KL with a falling reward', () => {
  it('names the KL, both rewards and what to do', () => {
    const told = farAndWorse(rowsOf(line(0.4, 0.08, 20), (i) => 13 * i))
    assert.match(told!, /KL of 247 nats and a reward that fell from 0\.400 \(step 1\) to 0\.097: .*--kl-weight$/)
  })

  it('comes where the reward is below its best, too, though not below its start', () => {
    const rewards = [...line(0.3, 0.8, 20), ...line(0.8, 0.4, 20)]
    assert.match(farAndWorse(rowsOf(rewards, (i) => 5 * i))!, /fell from 0\.\d+ \(step 2\d\) to 0\.4/)
  })

  it('does not come of a small KL, a reward that grows, a first step, or noise', () => {
    assert.equal(farAndWorse(rowsOf(line(0.4, 0.08, 20), () => 15)), undefined)
    assert.equal(farAndWorse(rowsOf(line(0.3, 0.8, 20), (i) => 13 * i)), undefined)
    assert.equal(farAndWorse(rowsOf([0.5], () => 300)), undefined)
    assert.equal(farAndWorse([]), undefined)
    const noisy = line(0.5, 0.5, 40).map((mean, i) => mean + 0.04 * (i % 2 === 0 ? 1 : -1))
    for (let count = 1; count <= 40; count++) {
      assert.equal(farAndWorse(rowsOf(noisy.slice(0, count), () => 30)), undefined)
    }
  })
})

describe('a warning of a loss that has risen', () => {
  const rows = (losses: readonly number[]) => losses.map((loss, i) => ({ step: i + 1, train_loss: loss }))

  it('compares the last updates with the model before any', () => {
    assert.match(lossRisen(rows([0.063, ...line(1.4, 1.4, 20)]))!, /from 0\.0630 to 1\.40/)
    assert.equal(lossRisen(rows([0.06, ...line(0.06, 0.03, 20)])), undefined)
    assert.equal(lossRisen(rows([0.063, 1.4, 1.4])), undefined)
  })
})
