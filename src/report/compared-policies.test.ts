import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import { startRun } from '../run.ts'
import { comparedPolicies } from './compared-policies.ts'
import { namesForRuns, PolicyName } from './policy-name.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))
const made = (name: string, stage: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  using run = startRun({ folder: join(folder, name), stage, config: {} })
  run.finish()
  return run.folder
}
const [dpok, other, weighted] = [
  made('dpok', 'policy dpok'),
  made('other', 'policy dpok'),
  made('weighted', 'policy reward-weighted'),
]
const named = (...given: string[]) => comparedPolicies(given).map(({ name, run }) => [name, run.folder])
const refused =
  (expected: RegExp, kind = ConfigError as new (...args: never[]) => Error) =>
  (error: Error) => {
    assert.ok(error instanceof kind, error.message)
    assert.match(error.message, expected)
    return true
  }

test('a folder alone has the name of its algorithm; order is kept', () => {
  assert.deepEqual(named(), [])
  assert.deepEqual(named(weighted, dpok), [
    ['reward-weighted', weighted],
    ['dpok', dpok],
  ])
  assert.deepEqual(named(`kl-01=${dpok}`, `kl-1=${other}`, weighted), [
    ['kl-01', dpok],
    ['kl-1', other],
    ['reward-weighted', weighted],
  ])
  // What is before the colon of an equals sign that stands inside a path is no name.
  const odd = made('a=b/dpok', 'policy dpok')
  assert.deepEqual(named(odd), [['dpok', odd]])
  assert.deepEqual(named(`x=${odd}`), [['x', odd]])
  // One policy may stand there twice: its difference to itself is zero.
  assert.deepEqual(named(`a=${dpok}`, `b=${dpok}`).length, 2)
})

test('two of one name are refused with names to give', () => {
  assert.throws(() => named(dpok, other), refused(/another name for each policy.*dpok-a=.*dpok,dpok-b=.*other/))
  assert.throws(() => named(`x=${dpok}`, `x=${weighted}`), refused(/x for /))
  assert.throws(() => named(`dpok=${weighted}`, dpok), refused(/dpok for /))
})

test('names become files and columns', () => {
  for (const name of ['Base', 'a b', 'ä', 'a/b'.slice(0, 1) + '.', '-a', '', 'x'.repeat(33), '<b>', 'a_b', '..']) {
    assert.throws(() => named(`${name}=${dpok}`), refused(/32 lower-case letters/), name)
  }
  for (const name of ['base', 'best-of-n']) {
    assert.throws(() => named(`${name}=${dpok}`), refused(/does not give itself/), name)
  }
})

test('what is no trained policy is refused with what to do', () => {
  assert.throws(() => named(''), refused(/folder of a run/))
  assert.throws(() => named('a='), refused(/folder of a run/))
  assert.throws(() => named(join(folder, 'none')), refused(/finished run.*no such folder/, FileError))
  assert.throws(() => named(made('best', 'policy best-of-n')), refused(/--best-of/, FormatError))
  assert.throws(() => named(`a=${made('reward', 'reward train')}`), refused(/one of reward train/, FormatError))
})

test('names for runs of the studio are always good ones', () => {
  const runs = ['dpok-1', 'dpok.1', 'base', 'best-of-n', 'x'.repeat(80), 'x'.repeat(79), 'a-', 'base', '..']
  const names = namesForRuns(runs)
  assert.deepEqual(names.slice(0, 4), ['dpok-1', 'dpok-1-2', 'base-2', 'best-of-n-2'])
  assert.equal(new Set(names).size, runs.length)
  for (const name of names) assert.ok(PolicyName.safeParse(name).success, name)
})
