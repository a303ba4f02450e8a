import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FileError, FormatError } from '../errors.ts'
import { readDistractors } from './distractors-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))

function read(...lines: (string | object)[]): Promise<Map<string, string[]>> {
  const file = join(folder, 'wrong.jsonl')
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return readDistractors(file)
}

test('distractors by their prompts', async () => {
  const found = await read(
    { prompt: ' a dog ', distractors: ['a cat', 'a cow', ' a cat'], note: 'ignored' },
    '',
    { prompt: 'a bus', distractors: ['a car'] },
    '',
  )
  assert.deepEqual(
    [...found],
    [
      ['a dog', ['a cat', 'a cow']],
      ['a bus', ['a car']],
    ],
  )
})

test('what is broken is named by file and line', async () => {
  const good = { prompt: 'a dog', distractors: ['a cat'] }
  const refusals: [expected: RegExp, ...lines: (string | object)[]][] = [
    [/^wrong\.jsonl:2: expected \{"prompt".*received .*JSON/, good, '{"prompt": '],
    [/^wrong\.jsonl:1 distractors: .*received/, { prompt: 'a dog' }],
    [/^wrong\.jsonl:1 distractors: /, { prompt: 'a dog', distractors: [] }],
    [/^wrong\.jsonl:1 distractors 1: /, { prompt: 'a dog', distractors: ['a cat', 3] }],
    [/^wrong\.jsonl:1 prompt: /, { prompt: ' ', distractors: ['a cat'] }],
    [/^wrong\.jsonl:3: expected each prompt once, received "a dog" again/, good, '', good],
    [/^wrong\.jsonl:1: expected wrong prompts, received "a dog" itself/, { ...good, distractors: ['a dog'] }],
  ]
  for (const [message, ...lines] of refusals) await assert.rejects(read(...lines), { name: FormatError.name, message })
  await assert.rejects(readDistractors(join(folder, 'none.jsonl')), FileError)
})
