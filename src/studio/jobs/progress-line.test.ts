import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { progress } from '../../progress.ts'
import { beginLine, errorLine, lastLines, readProgress, toldLines } from './progress-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-log-'))
after(() => rmSync(folder, { recursive: true }))

test('reads what the progress line says, and nothing else', () => {
  const lines: string[] = []
  let now = 0
  const bar = progress('reward: seed 1', 40, 'updates', { write: (text: string) => lines.push(text.trim()) }, () => now)
  now = 20_000
  bar.advance(10, 'loss 0.25')
  bar.done()
  const label = 'reward: seed 1'
  assert.deepEqual(readProgress(lines[0]), { label, done: 10, total: 40, unit: 'updates', note: 'loss 0.25' })
  assert.equal(readProgress(lines[1]), undefined)
  assert.equal(readProgress('labels.csv:41 image: expected a, received b — c'), undefined)
})

test('the end of a long log, without a line that is cut', () => {
  const file = join(folder, 'long.txt')
  writeFileSync(file, Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(''))
  const lines = lastLines(file)
  assert.equal(lines.at(-1), 'line 4999')
  assert.ok(lines.length < 5000 && lines.every((line) => /^line \d+$/.test(line)))
  assert.deepEqual(lastLines(join(folder, 'none.txt')), [])
})

test('of all progress lines only the last is told', () => {
  const one = 'dpok: 1/9 steps 11 % 1.00/s, 0:08 left'
  const two = 'dpok: 2/9 steps 22 % 1.00/s, 0:07 left'
  assert.deepEqual(toldLines(['note: a', one, two, 'the end']), ['note: a', two, 'the end'])
})

test('the line on which a stage failed', () => {
  assert.equal(errorLine(['dpok: 1 steps in 0:01', 'a: expected b, received c — d']), 'a: expected b, received c — d')
  assert.equal(errorLine(['internal error: x', 'Please report this; …']), 'internal error: x')
  assert.equal(errorLine(['dpok: 1/9 steps 11 % 1.00/s, 0:08 left']), null)
  assert.equal(errorLine(['images: 8 images in 0:01']), null)
  assert.equal(errorLine([]), null)
  const begun = beginLine(['images', 'generate'])
  assert.equal(errorLine([begun, 'a: expected b, received c — d', begun]), null, 'an earlier process said it')
  assert.equal(errorLine([begun, 'first', begun, 'second']), 'second')
})
