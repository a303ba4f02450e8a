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

test('distractors of a table and of a list', async () => {
  const wanted = [
    ['a dog', ['a cat, asleep', 'a cow']],
    ['a bus', ['a car']],
  ]
  const list = wanted.map(([prompt, distractors]) => ({ prompt, distractors }))
  for (const [name, content] of [
    ['wrong.csv', 'Prompt,Distractor\r\na dog,"a cat, asleep"\r\na bus,a car\r\na dog,a cow\r\n'],
    ['wrong.tsv', 'prompt\tdistractors\ra dog\ta cat, asleep\ra dog\ta cow\ra bus\ta car'],
    ['wrong.json', JSON.stringify(list, null, 2)],
    ['wrong.jsonl', list.map((line) => JSON.stringify(line)).join('\r')],
  ]) {
    writeFileSync(join(folder, name), content)
    assert.deepEqual([...(await readDistractors(join(folder, name)))], wanted, name)
  }
  writeFileSync(join(folder, 'wrong.csv'), 'prompt\na dog\n')
  await assert.rejects(
    readDistractors(join(folder, 'wrong.csv')),
    /^FormatError: wrong\.csv:1: expected a column distractor/,
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
