import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FileError, FormatError } from '../errors.ts'
import type { Prompt } from '../records.ts'
import { readPrompts, writePrompts } from './prompt-file.ts'
import type { PromptVocabulary } from './vocabulary.ts'

const vocabulary: PromptVocabulary = {
  objects: [{ singular: 'circle', plural: 'circles' }],
  colors: ['red'],
  counts: ['one', 'two'],
  backgrounds: ['blue'],
}

async function readFrom(name: string, content: string, words?: PromptVocabulary): Promise<Prompt[]> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'prompts-'))
  const file = join(folder.path, name)
  await writeFile(file, content)
  return await readPrompts(file, words)
}

describe('readPrompts', () => {
  it('reads text, with comments, blank lines, a byte order mark and CRLF', async () => {
    const prompts = await readFrom('a.txt', '\uFEFF# mine\r\n\r\n two red circles \r\na dog, "old" 🐕\r\n', vocabulary)
    assert.deepEqual(prompts, [
      {
        id: 'p0003',
        text: 'two red circles',
        category: 'combination',
        attributes: { object: 'circle', count: 2, color: 'red' },
      },
      { id: 'p0004', text: 'a dog, "old" 🐕', category: 'other' },
    ])
  })

  it('reads JSON lines under either name of the text', async () => {
    const lines = [
      { prompt: 'a dog', negative_prompt: 'blurred' },
      { text: 'red circles', id: 'mine', category: 'count', attributes: { object: 'dog' } },
    ]
    assert.deepEqual(await readFrom('a.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'), vocabulary), [
      { id: 'p0001', text: 'a dog', category: 'other' },
      { id: 'mine', text: 'red circles', category: 'count', attributes: { object: 'dog' } },
    ])
  })

  it("reads DPOK's file", async () => {
    const content = JSON.stringify({
      'A green colored rabbit.': { category: 'color' },
      'A dog on the moon.': { category: 'location' },
      'A cat.': { category: 'animals' },
    })
    assert.deepEqual(
      (await readFrom('data_meta.json', content)).map(({ id, category }) => [id, category]),
      [
        ['p0001', 'color'],
        ['p0002', 'background'],
        ['p0003', 'other'],
      ],
    )
  })

  it('names both lines of a repeated prompt', async () => {
    await assert.rejects(readFrom('a.txt', 'dogs\n\n dogs\n'), (error) => {
      assert.ok(error instanceof FormatError)
      assert.match(error.message, /^a\.txt:3 prompt: .*"dogs", which line 1 has too/)
      return true
    })
    await assert.rejects(readFrom('a.jsonl', '{"text":"a","id":"p0002"}\n{"text":"b"}'), /a\.jsonl:2 id/)
  })

  it('names the line that is broken', async () => {
    for (const [name, content, message] of [
      ['a.jsonl', '{"text":"a"}\n{', /^a\.jsonl:2: expected JSON/],
      ['a.jsonl', '{"text":"a"}\n\n{}', /^a\.jsonl:3: .*needs "prompt" or "text"/],
      ['a.jsonl', '{"text":"  "}', /^a\.jsonl:1 text: /],
      ['a.jsonl', '{"text":"a","category":"colour"}', /^a\.jsonl:1 category: /],
      ['a.json', '["a"]', /^a\.json: /],
      ['a.json', '{', /^a\.json: expected JSON/],
      ['a.txt', '# nothing\n', /^a\.txt: expected at least one prompt/],
      ['a.csv', 'a', /^a\.csv: expected a file named/],
    ] as const) {
      await assert.rejects(readFrom(name, content), (error) => {
        assert.ok(error instanceof FormatError)
        assert.match(error.message, message)
        return true
      })
    }
    await assert.rejects(readPrompts('/nowhere/a.txt'), FileError)
  })
})

describe('writePrompts', () => {
  it('writes what readPrompts reads', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'prompts-'))
    const file = join(folder.path, 'a.jsonl')
    const prompts: Prompt[] = [
      { id: 'a', text: '<script>"two", \\ שלום 🎈</script>', category: 'other' },
      { id: 'b', text: 'red circles', category: 'color', attributes: { object: 'circle', color: 'red' } },
    ]
    await writePrompts(file, prompts)
    assert.deepEqual(await readPrompts(file), prompts)
    assert.deepEqual(await readdir(folder.path), ['a.jsonl'])
  })

  it('leaves nothing behind where it cannot write', async () => {
    await assert.rejects(writePrompts('/nowhere/a.jsonl', []), FileError)
  })
})
