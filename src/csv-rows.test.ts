import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { csvRows } from './csv-rows.ts'
import { FormatError } from './errors.ts'

const cellsOf = (text: string, refuse?: (error: FormatError) => void) =>
  csvRows('a.csv', text, ['a', 'b'], refuse).rows.map(({ row, cell }) => [row, cell('a'), cell('b')])

describe('csvRows', () => {
  it('keeps what is quoted, and the numbers that a spreadsheet shows', () => {
    const text = '\uFEFFA, b\r\n\r\nx,"1, ""2""\n3"\r\ny\r\nz, 🐕 \r\n'
    assert.deepEqual(cellsOf(text), [
      [3, 'x', '1, "2"\n3'],
      [4, 'y', ''],
      [5, 'z', '🐕'],
    ])
  })

  it('takes a quote within a cell as it stands', () => {
    assert.deepEqual(cellsOf('a,b\nx,a 5" pipe\ny,"so" she said\n'), [
      [2, 'x', 'a 5" pipe'],
      [3, 'y', '"so" she said'],
    ])
  })

  it('hands over rows with a cell too many, or throws them', () => {
    const text = 'a,b\nx,1\ny,2,3\nz,4\n'
    assert.throws(() => cellsOf(text), FormatError)
    const refused: string[] = []
    assert.deepEqual(
      cellsOf(text, ({ where }) => refused.push(where)),
      [
        [2, 'x', '1'],
        [4, 'z', '4'],
      ],
    )
    assert.deepEqual(refused, ['a.csv:3'])
  })

  it('reads a wide table in no time, and refuses one that is wider than any', () => {
    const wide = `${'x,'.repeat(16_000)}a,b\n`
    assert.equal(cellsOf(`${wide}${`${','.repeat(16_000)}1,2\n`.repeat(20)}`).length, 20)
    assert.throws(() => cellsOf(`a,b\n1,2\n${','.repeat(1e6)}`), /a\.csv:3: expected at most 16384 cells/)
    assert.throws(() => cellsOf(`a,b${',c'.repeat(1e5)}`), /a\.csv:1: expected at most 16384 cells/)
  })

  it('refuses to choose between two columns of one name, where they are asked for', () => {
    assert.throws(
      () => cellsOf('a,b,B\nx,1,2\n'),
      /^FormatError: a\.csv:1 b: expected one column of this name, received two/,
    )
    assert.deepEqual(cellsOf('a,c,b,c\nx,1,2,3\n'), [[2, 'x', '2']])
  })

  it('names a quote that never ends', () => {
    assert.throws(
      () => cellsOf('a,b\n"x,1\ny,2\n', assert.fail),
      /^FormatError: a\.csv:\d+: expected CSV with balanced quotes/,
    )
  })
})
