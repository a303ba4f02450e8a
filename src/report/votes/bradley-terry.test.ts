import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { livingTensors } from '../../tensor/scope.ts'
import { bradleyTerry, type PairCounts } from './bradley-terry.ts'

/** `test/fixtures/bradley-terry.py` makes them; the reference is policy 0. */
const cases = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/bradley-terry.json', import.meta.url), 'utf8'),
) as {
  pairs: [first: number, second: number, wins: number, losses: number, ties: number][]
  u: number[]
  errors: number[]
  nu: number
}[]

const pair = (first: string, second: string, wins: number, losses: number, ties: number): PairCounts => ({
  first,
  second,
  wins,
  losses,
  ties,
})
const near = (found: number, expected: number, within = 1e-6) =>
  assert.ok(Math.abs(found - expected) <= within * Math.max(1e-3, Math.abs(expected)), `${found} ${expected}`)

test('two policies by hand: log(wins/losses) ± 1.96 √(1/wins + 1/losses), ν = ties/√(wins losses)', () => {
  const before = livingTensors()
  for (const ties of [0, 6]) {
    const { ofEach, nu } = bradleyTerry([pair('ours', 'base', 12, 3, ties)], 'base')!
    const { mean, low, high } = ofEach.get('ours')!
    near(mean, Math.log(4))
    near(high - mean, 1.959963984540054 * Math.sqrt(1 / 12 + 1 / 3))
    near(mean - low, high - mean)
    near(nu, ties / 6)
    assert.deepEqual(ofEach.get('base'), { mean: 0, low: 0, high: 0 })
  }
  assert.equal(livingTensors(), before)
})

test('the strengths, errors and ν of SciPy and PyTorch', () => {
  for (const { pairs, u, errors, nu } of cases) {
    const found = bradleyTerry(
      pairs.map(([i, j, ...counts]) => pair(`p${i}`, `p${j}`, ...counts)),
      'p0',
    )!
    near(found.nu, nu)
    for (const [p, expected] of u.entries()) {
      const { mean, high } = found.ofEach.get(`p${p + 1}`)!
      near(mean, expected)
      near((high - mean) / 1.959963984540054, errors[p])
    }
  }
})

test('where every vote is with one side, or all are ties, no strength is finite and none is told', () => {
  for (const [wins, losses, ties] of [
    [5, 0, 0],
    [0, 5, 0],
    [5, 0, 3],
    [0, 0, 9],
    [0, 0, 0],
  ]) {
    const found = bradleyTerry([pair('ours', 'base', wins, losses, ties)], 'base')
    assert.equal(found, undefined, `${wins} ${losses} ${ties}`)
  }
  assert.equal(bradleyTerry([], 'base'), undefined)
  assert.equal(bradleyTerry([pair('a', 'b', 3, 4, 1)], 'base'), undefined)
})

test('who wins everything, or was compared with others alone, does not spoil the strengths of the others', () => {
  const apart = [pair('ours', 'base', 12, 3, 6), pair('best', 'ours', 7, 0, 0), pair('x', 'y', 2, 2, 0)]
  const { ofEach } = bradleyTerry(apart, 'base')!
  assert.deepEqual([...ofEach.keys()], ['base', 'ours'])
  near(ofEach.get('ours')!.mean, Math.log(4))
})

test('a policy that was compared with another one alone stands by it', () => {
  const { ofEach } = bradleyTerry([pair('ours', 'base', 12, 3, 0), pair('further', 'ours', 4, 2, 0)], 'base')!
  near(ofEach.get('further')!.mean, Math.log(4) + Math.log(2))
  const half = ofEach.get('further')!.high - ofEach.get('further')!.mean
  near(half, 1.959963984540054 * Math.sqrt(1 / 12 + 1 / 3 + 1 / 4 + 1 / 2))
})
