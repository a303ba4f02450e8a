import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../errors.ts'
import { sha256OfParts } from '../../reward/composition/shared-parts.ts'
import type { Reward } from '../../reward/reward.ts'
import { expectOther } from './open-alarms.ts'

const named = (name: string, parts?: readonly Reward[]) =>
  ({ name, sha256: parts === undefined ? `head ${name}` : sha256OfParts(name, parts) }) as Reward

test('a held-out reward is none that the training sees, and has no part of it', () => {
  const [one, other, third] = ['one', 'other', 'third'].map((name) => named(name))
  const both = named('both', [one, other])
  for (const [heldOut, trained] of [
    [one, other],
    [third, both],
    [named('two', [third, named('fourth')]), both],
    [both, undefined],
  ] as const) {
    expectOther(heldOut, trained)
  }
  for (const [heldOut, trained, received] of [
    [one, one, 'one, which is the one that it learns from'],
    [other, both, 'other, of which a part is in both'],
    [both, one, 'both, of which a part is in one'],
    [named('two', [third, other]), both, 'two, of which a part is in both'],
    [named('nested', [both, third]), one, 'nested, of which a part is in one'],
  ] as const) {
    assert.throws(() => expectOther(heldOut, trained), { name: ConfigError.name, where: '--held-out-reward', received })
  }
})
