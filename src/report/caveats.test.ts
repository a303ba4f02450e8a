import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Manifest } from '../run.ts'
import { ratersOf } from './caveats.ts'

test('a store of judgments that is not where it was takes the rates of the rater, and not the report', async () => {
  const manifest = { parents: { feedback: '/nowhere/f.sqlite' }, results: { simulated: true } } as unknown as Manifest
  assert.deepEqual(await ratersOf({ folder: 'reward', manifest, config: {} }), {
    caveats: ['Labels were simulated: a program gave them, not people.'],
  })
})
