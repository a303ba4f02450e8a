/** Logs are searched a piece at a time, however long they or their lines are. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { searchLog } from './log-search.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-log-'))
const file = join(folder, 'log.txt')
after(() => rmSync(folder, { recursive: true, force: true }))
const texts = async (query: Partial<Parameters<typeof searchLog>[1]>) =>
  (await searchLog(file, { from: 0, most: 100, ...query })).lines.map(({ text }) => text)

test('finds text in any case, and the first error, and goes on where it was', async () => {
  writeFileSync(file, '$ attune policy dpok\nÄrger 1\nerror of 2 %: fine\nmirrored\nInternal error: no memory\nhalf')
  assert.deepEqual(await texts({ find: 'äRGER' }), ['Ärger 1'])
  assert.deepEqual(await texts({ errors: true, most: 1 }), ['error of 2 %: fine'])
  assert.deepEqual(await texts({ errors: true }), ['error of 2 %: fine', 'Internal error: no memory'])
  const { next, size, lines } = await searchLog(file, { from: 0, most: 100 })
  assert.deepEqual([lines.length, size - next], [5, 4], 'half a line is not told yet')
  appendFileSync(file, ' a line\nnew\n')
  const more = await searchLog(file, { from: next, most: 100 })
  assert.deepEqual([more.lines.map(({ text }) => text), more.next], [['half a line', 'new'], more.size])
  const [, second] = (await searchLog(file, { from: 0, most: 2 })).lines
  assert.deepEqual(await texts({ from: second.at, most: 1 }), ['Ärger 1'])
})

test('of what was written over the last is told, and of a long line its beginning', async () => {
  writeFileSync(file, `1 of 3\r2 of 3\r3 of 3\r\n${'x'.repeat(300_000)}needle\nend\n`)
  const lines = await texts({})
  assert.deepEqual([lines[0], lines[1].length, lines[2]], ['3 of 3', 2000, 'end'])
})

test('a log of many megabytes is read in parts', async () => {
  const line = `${'y'.repeat(9999)}\n`
  writeFileSync(file, `${line.repeat(4000)}needle\n`)
  const first = await searchLog(file, { from: 0, find: 'needle', most: 10 })
  assert.deepEqual([first.lines, first.next < first.size, first.next % line.length], [[], true, 0])
  assert.deepEqual(await texts({ from: first.next, find: 'needle' }), ['needle'])
  assert.deepEqual(await searchLog(join(folder, 'none'), { from: 5, most: 1 }), { lines: [], next: 0, size: 0 })
})
