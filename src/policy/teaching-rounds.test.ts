import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RewardError } from '../errors.ts'
import { TeachingRounds } from './teaching-rounds.ts'

test('a reward that is the same for all images ends a training at once in the first round, later in the third of a row', () => {
  const constant = [0.5, 0.5, 0.5]
  assert.throws(() => new TeachingRounds('flat').expect(constant, 0), RewardError)
  const rounds = new TeachingRounds('flat')
  rounds.expect([0.1, 0.9], 0)
  rounds.expect(constant, 1)
  rounds.expect(constant, 2)
  assert.equal(rounds.constant, 2)
  rounds.expect([0.1, 0.9], 3)
  assert.equal(rounds.constant, 0)
  rounds.expect(constant, 4)
  rounds.expect(constant, 5)
  assert.throws(() => rounds.expect(constant, 6), RewardError)
  assert.throws(() => new TeachingRounds('broken').expect([0.1, NaN], 0), { name: RewardError.name, received: 'NaN' })
})
