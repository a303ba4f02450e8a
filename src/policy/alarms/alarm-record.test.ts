import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toldAlarms } from './alarm-record.ts'

const edges = { statistic: 'edge_density', step: 4, value: 0.31, base: 0.149, deviation: 0.0642 }
const fall = {
  statistic: 'held_out_reward',
  step: 6,
  value: 0.4,
  base: 0.5,
  deviation: 0.1,
  peak: { step: 2, value: 0.6 },
}

test('alarms of a training are told behind the name of its policy', () => {
  assert.equal(
    toldAlarms({ alarms: [edges, fall], updates: 12 }),
    'was trained on although its probe images show over-optimisation from step 4 on: edge density 0.310 (base 0.149 ± 0.0642), held-out reward 0.400 (0.600 at step 2), which falls while the trained one does not',
  )
  assert.equal(
    toldAlarms({ alarms: [edges], stoppedAtStep: 4, policyOfStep: 2 }),
    'is that of step 2: its training was stopped at step 4, where its probe images showed over-optimisation: edge density 0.310 (base 0.149 ± 0.0642)',
  )
})

test('where there were none, or a manifest knows of none, nothing is told', () => {
  for (const results of [{}, { alarms: [] }, { alarms: 'many' }]) assert.equal(toldAlarms(results), undefined)
})
