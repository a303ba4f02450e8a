import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AttuneError } from '../errors.ts'
import { armKey, readKnown, resultsJson } from './known-results.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-known-'))
after(() => rmSync(folder, { recursive: true }))

const run = { date: '2026-11-28', machine: 'a machine', torch: '2.13.0', version: '0.2.0', seconds: 60 }
const arm = { step: { key: '0123456789abcdef' }, part: 'base' }
const rate = { key: 'fedcba9876543210', coefficients: { learningRate: 0.001 } }
const textOf = (kl: number, machine = run.machine) =>
  resultsJson([{ ...run, machine }], { rate }, [
    [
      arm,
      [
        { measure: 'alignment', split: 'seen', value: 0.5 },
        { measure: 'kl', value: kl },
      ],
    ],
  ])
function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

test('what was written is known again; of two files the first that has it counts', async () => {
  const [first, second] = [write('first.json', textOf(1, 'first')), write('second.json', textOf(2, 'second'))]
  const { chosen, measured } = await readKnown([first, second])
  assert.deepEqual(chosen.get(rate.key)?.value, rate.coefficients)
  const { value, runs, steps } = measured.get(armKey(arm))!
  assert.deepEqual(value, [
    { measure: 'alignment', split: 'seen', value: 0.5 },
    { measure: 'kl', value: 1 },
  ])
  assert.deepEqual([runs, steps], [[{ ...run, machine: 'first' }], []])
  assert.equal(measured.get(armKey({ ...arm, part: 'other' })), undefined)
  assert.equal((await readKnown([])).measured.size, 0)
})

test('what is no such file is refused, with its place', async () => {
  const good = textOf(1)
  const huge = write('huge.json', good)
  truncateSync(huge, 17 * 2 ** 20)
  const bad: [file: string, message: RegExp][] = [
    [join(folder, 'missing.json'), /missing\.json: .*no such file/],
    [folder, /no file/],
    [huge, /18 MB/],
    [write('torn.json', good.slice(0, -9)), /torn\.json: expected the results\.json of a study/],
    [write('deep.json', '['.repeat(1e6)), /200 deep/],
    [write('later.json', good.replace('"schema":1', '"schema":2')), /later\.json schema/],
    [write('more.json', good.replace('{', '{"more":1,')), /more/],
    [write('nan.json', good.replace('"kl",null,1', '"kl",null,NaN')), /measured.*received NaN/],
    [write('infinite.json', good.replace('"kl",null,1', '"kl",null,1e999')), /measured.*received Infinity/],
    [write('measure.json', good.replace('"kl"', '"beauty"')), /measured.*received "beauty"/],
    [write('split.json', good.replace('"seen"', '"all"')), /measured.*received "all"/],
    [
      write('key.json', good.replace(arm.step.key, 'base')),
      /key\.json measured.*a key of 16 hex digits, received "base"/,
    ],
    [write('lines.json', good.replace('a machine', 'a\\nmachine')), /runs\.0\.machine/],
    [write('seconds.json', good.replace('"seconds":60', '"seconds":-1')), /runs\.0\.seconds/],
    [write('settings.json', good.replace('0.001', '"high"')), /chosen\.rate\.coefficients\.learningRate/],
  ]
  for (const [file, message] of bad) {
    await assert.rejects(readKnown([file]), (error) => {
      assert.ok(error instanceof AttuneError, String(error))
      assert.match(error.message, message)
      return true
    })
  }
})
