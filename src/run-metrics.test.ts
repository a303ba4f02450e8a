import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { RunMetrics } from './run-metrics.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'attune-metrics-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const row = (step: number) => `{"step":${step},"loss":${step / 10}}\n`

/** What is left of a text, what was told, and the last row. */
function rewound(text: string | undefined, step: number) {
  const file = join(folder, 'metrics.jsonl')
  if (text !== undefined) writeFileSync(file, text)
  const said: string[] = []
  const last = new RunMetrics(folder, true).rewind(step, { write: (line) => said.push(line) })
  const left = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  return { left, said: said.join(''), last }
}

test('what a killed process leaves is cut off in silence', () => {
  const text = [1, 2, 3, 4].map(row).join('')
  assert.deepEqual(rewound(`${text}{"step":5,"lo`, 3), {
    left: text.slice(0, -row(4).length),
    said: '',
    last: { step: 3, loss: 0.3 },
  })
  assert.deepEqual(rewound(text, 4), { left: text, said: '', last: { step: 4, loss: 0.4 } })
  assert.deepEqual(rewound(text, -1), { left: '', said: '', last: {} })
  rmSync(join(folder, 'metrics.jsonl'))
  assert.deepEqual(rewound(undefined, 0), { left: undefined, said: '', last: {} })
})

test('broken rows, rows out of order and gaps are mended or told', () => {
  const broken = ['not json\n', '[]\n', '{"step":"2"}\n', '\n', '{"step":1.5}\n', 'null\n']
  for (const one of broken) {
    const { left, said } = rewound(row(1) + one + row(2), 2)
    assert.equal(left, row(1) + row(2))
    assert.match(said, /^note: .*metrics\.jsonl: removed what is no row, in line 2\n$/)
  }
  assert.equal(rewound(row(2) + row(1) + row(2) + row(3), 3).left, row(1) + row(2) + row(3))
  const gap = rewound(row(1) + row(4) + row(8) + 'x\n', 9)
  assert.equal(gap.left, row(1) + row(4) + row(8))
  assert.match(gap.said, /in line 4\n.*no row of step 2 to 3, 5 to 7, 9: curves have a gap there/)
  rmSync(join(folder, 'metrics.jsonl'))
  assert.match(rewound(undefined, 3).said, /no row of step 1 to 3/)
})
