import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FileError, FormatError } from '../errors.ts'
import type { Prompt } from '../records.ts'
import { readPromptList, readPrompts, writePrompts, type PromptFileOptions } from './prompt-file.ts'
import type { PromptVocabulary } from './vocabulary.ts'

const vocabulary: PromptVocabulary = {
  objects: [{ singular: 'circle', plural: 'circles' }],
  colors: ['red'],
  counts: ['one', 'two'],
  backgrounds: ['blue'],
}

async function listFrom(name: string, content: string | Uint8Array, options: PromptFileOptions = {}) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'prompts-'))
  const file = join(folder.path, name)
  await writeFile(file, content)
  return await readPromptList(file, options)
}

async function readFrom(
  name: string,
  content: string | Uint8Array,
  words?: PromptVocabulary,
  column?: string,
): Promise<Prompt[]> {
  return (await listFrom(name, content, { vocabulary: words, column })).prompts
}

const textsOf = async (...from: Parameters<typeof readFrom>) => (await readFrom(...from)).map(({ text }) => text)

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
      { prompt: 'a dog', negative_prompt: 'blurred', seed: 7 },
      { text: 'red circles', id: 'mine', category: 'count', attributes: { object: 'dog' } },
    ]
    assert.deepEqual(await readFrom('a.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'), vocabulary), [
      { id: 'p0001', text: 'a dog', category: 'other', seed: 7, negative: 'blurred' },
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

  it('reads tables by the column that holds the prompts', async () => {
    const parti =
      'Prompt\tCategory\tChallenge\tNote\r\n' +
      '"A" and a dog\tAnimals\tBasic\t\r\n' +
      'a sign that says "Diffusion, now"\tWorld Knowledge\tComplex\tquotes "open\r\n' +
      '"three ""red"" cars"\tColors\tQuantity\r\n'
    assert.deepEqual(
      (await readFrom('PartiPrompts.tsv', parti)).map(({ text, category }) => [text, category]),
      [
        ['"A" and a dog', 'other'],
        ['a sign that says "Diffusion, now"', 'other'],
        ['three "red" cars', 'color'],
      ],
    )
    assert.deepEqual(
      await readFrom('DrawBench.csv', '\uFEFFPrompts,Category\n"A cat, two dogs",Counting\n\nA bus,Text\n'),
      [
        { id: 'p0002', text: 'A cat, two dogs', category: 'count' },
        { id: 'p0004', text: 'A bus', category: 'other' },
      ],
    )
    assert.deepEqual(await textsOf('a.csv', 'id;caption\r1;a dog, a cat\r2;"two\rlines"\r'), [
      'a dog, a cat',
      'two\nlines',
    ])
    assert.deepEqual(await textsOf('a.csv', 'prompt,text\na,b\n', undefined, 'Text'), ['b'])
    assert.deepEqual(await textsOf('coco.json', '{"annotations": [{"caption": "a", "raw": "b"}]}', undefined, 'raw'), [
      'b',
    ])
    assert.deepEqual(await textsOf('a.tsv', 'Prompt\na dog, a cat\n"x\n'), ['a dog, a cat', '"x'])
  })

  it('reads what GenEval asks for, writes it again, and refuses what it cannot mean', async () => {
    const include = [
      { class: 'car', count: 1 },
      { class: 'dog', count: 2, color: 'red', position: ['left of', 0] },
    ]
    const line = {
      tag: 'position',
      include,
      exclude: [{ class: 'dog', count: 3 }],
      prompt: 'two red dogs left of a car',
    }
    const [{ objects, category }] = await readFrom('evaluation_metadata.jsonl', JSON.stringify(line))
    assert.deepEqual([objects, category], [{ tag: 'position', include, exclude: line.exclude }, 'other'])
    await using folder = await mkdtempDisposable(join(tmpdir(), 'prompts-'))
    const file = join(folder.path, 'again.jsonl')
    await writePrompts(file, [{ id: 'a', text: line.prompt, category, objects }])
    assert.deepEqual((await readPrompts(file))[0].objects, objects)
    const [other] = await readFrom('a.jsonl', '{"prompt": "a", "include": ["all"]}')
    assert.equal(other.objects, undefined)
    for (const wrong of [
      [{ class: 'car', count: 0 }],
      [{ class: 'car', count: 1e9 }],
      [{ class: '', count: 1 }],
      [{ class: 'car', position: ['left of', 0] }],
      [{ class: 'car' }, { class: 'dog', position: ['behind', 0] }],
      Array.from({ length: 99 }, () => ({ class: 'car' })),
    ]) {
      const text = JSON.stringify({ prompt: 'a', include: wrong })
      await assert.rejects(readFrom('a.jsonl', text), { name: 'FormatError', message: /a\.jsonl:1 include/ })
    }
  })

  it('reads the benchmarks of others', async () => {
    const coco = { info: {}, images: [{ id: 9 }], annotations: [{ image_id: 9, id: 1, caption: ' A man. \n' }] }
    const genEval = [
      { tag: 'counting', include: [{ class: 'bench', count: 2 }], prompt: 'a photo of two benches' },
      { tag: 'color_attr', include: [], prompt: 'a red car and a blue dog' },
    ]
    const imageReward = [{ id: '000904-0035', prompt: 'a painting', generations: ['a.webp'], ranking: [1] }]
    const hpd = [{ prompt: 'a girl', image_path: ['1.jpg'], rank: [0] }]
    const genAi = { '00000': { id: '00000', prompt: 'a baker', models: {} } }
    const lines = genEval.map((line) => JSON.stringify(line)).join('\n')
    for (const [name, content, texts] of [
      ['captions_val2017.json', JSON.stringify(coco), ['A man.']],
      ['metadata.jsonl', lines, genEval.map(({ prompt }) => prompt)],
      ['lines.json', lines, genEval.map(({ prompt }) => prompt)],
      ['list.jsonl', JSON.stringify(genEval, null, 1), genEval.map(({ prompt }) => prompt)],
      ['benchmark-prompts.json', JSON.stringify(imageReward), ['a painting']],
      ['test.json', JSON.stringify(hpd), ['a girl']],
      ['anime.json', '["a", "b"]', ['a', 'b']],
      ['genai.json', JSON.stringify(genAi), ['a baker']],
      ['named.json', '{"prompts": ["a", {"prompt": "b"}]}', ['a', 'b']],
      ['one.json', '{"text": "a"}', ['a']],
      ['pandas.json', '{"id": {"0": 7, "1": 8}, "prompt": {"0": "a", "1": "b"}}', ['a', 'b']],
      ['nested.json', '{"version": 1, "data": [{"prompt": "a"}, {"prompt": "b"}]}', ['a', 'b']],
      [
        'python.jsonl',
        '{"prompt": "a", "score": NaN}\n{"prompt": "b\u2028c", "score": -Infinity}\n',
        ['a', 'b\u2028c'],
      ],
      ['excel.csv', '\uFEFFsep=;\r\nprompt;n\r\na, b;1\r\n', ['a, b']],
      ['late.csv', '\n \nprompt,n\na,1\n', ['a']],
      ['twice.csv', 'prompt,caption\na,a\nb,b\n', ['a', 'b']],
      ['unseen.txt', '\u200B\na\n\u2060 \n', ['a']],
    ] as const) {
      assert.deepEqual(await textsOf(name, content), texts, name)
    }
    assert.deepEqual(
      (await readFrom('metadata.jsonl', lines)).map(({ category }) => category),
      ['count', 'combination'],
    )
    assert.deepEqual((await readFrom('list.json', '[{"id": 12, "prompt": "a", "attributes": ["x"]}]'))[0].id, '12')
  })

  it('reads what other programs call lines and encodings', async () => {
    const bytes = (mark: number[], text: string, swap: boolean) => {
      const wide = Buffer.from(text, 'utf16le')
      return Buffer.concat([Buffer.from(mark), swap ? wide.swap16() : wide])
    }
    const both = ['ein Hündchen', 'a dog 🐕']
    assert.deepEqual(await textsOf('a.txt', both.join('\r')), both)
    assert.deepEqual(await textsOf('a.txt', bytes([0xff, 0xfe], both.join('\r\n'), false)), both)
    assert.deepEqual(await textsOf('a.txt', bytes([0xfe, 0xff], both.join('\n'), true)), both)
    for (const [content, message] of [
      [Buffer.from('a dog\nein H\xfcndchen\n', 'latin1'), /^a\.txt: .*UTF-8.*line 2.*“ein Hündchen”.*iconv/],
      [bytes([], both.join('\n'), false), /^a\.txt: .*UTF-16 without its mark/],
      [bytes([0xff, 0xfe, 0, 0], 'a\0b\0', false), /^a\.txt: .*UTF-32/],
      ['a dog\0\n', /^a\.txt:1: .*zero byte/],
    ] as const) {
      await assert.rejects(readFrom('a.txt', content), { name: 'FormatError', message })
    }
  })

  it('keeps one of a repeated prompt', async () => {
    const { prompts, lines, repeated } = await listFrom('a.txt', 'dogs\n\n dogs\ncats\ndogs')
    assert.deepEqual(
      prompts.map(({ text }) => text),
      ['dogs', 'cats'],
    )
    assert.deepEqual(lines, [1, 4])
    assert.deepEqual(
      repeated.map(({ line }) => line),
      [3, 5],
    )
    await assert.rejects(readFrom('a.jsonl', '{"text":"a","id":"p0002"}\n{"text":"b"}'), /a\.jsonl:2 id/)
    assert.equal((await readFrom('a.jsonl', '{"text":"a","seed":1}\n{"text":"a","seed":2}')).length, 2)
  })

  it('names the line that is broken', async () => {
    for (const [name, content, message] of [
      ['a.jsonl', '{"text":"a"}\n{', /^a\.jsonl:2: expected JSON/],
      ['a.jsonl', '{"text":"a"}\n\n{}', /^a\.jsonl:3: expected a field or column prompt, .*--prompt-column/],
      ['a.jsonl', '{"text":"a","prompt":"b"}', /^a\.jsonl:1: .*received text and prompt, which differ/],
      ['a.jsonl', '{"text":"a","seed":-1}', /^a\.jsonl:1 seed: expected a whole number/],
      ['a.jsonl', '{"text":"a\\ud800"}', /^a\.jsonl:1 text: .*half a character/],
      ['a.jsonl', '{"text":"  "}', /^a\.jsonl:1 text: /],
      ['a.json', '[3]', /^a\.json:1: /],
      ['a.json', '3', /^a\.json: expected a list/],
      ['a.json', '{"images":[{"id":1}],"annotations":[{"id":1}]}', /^a\.json: expected a list/],
      ['a.json', '{"annotations":[{"caption":"a"},{"id":1}]}', /^a\.json:2 caption: /],
      ['a.json', '{', /^a\.json: expected JSON/],
      ['a.txt', '# nothing\n', /^a\.txt: expected at least one prompt/],
      ['a.csv', 'a', /^a\.csv:1: expected a field or column prompt.*received "a" .*--prompt-column/],
      ['a.csv', 'prompt\na dog, running\n', /^a\.csv:2: expected 1 cells.*quotes/],
      ['a.csv', 'prompt,n\n"a dog,1\na cat,2\n', /^a\.csv:\d: expected a table with balanced quotes/],
      ['a.csv', 'prompt,category\n,color\n', /^a\.csv:2 prompt: expected a prompt, received ""/],
      ['a.csv', 'prompt,text\na,b\n', /^a\.csv:1: .*received prompt and text, which differ/],
      ['a.txt', 'Prompt\tCategory\na dog\tAnimals\n', /^a\.txt: .*table with tabs.*name it \.tsv/],
      ['a.txt', 'a dog\tAnimals\na cat\tAnimals\n', /^a\.txt: .*table with tabs/],
      ['a.txt', 'prompt,category\na dog,Animals\n', /^a\.txt: .*name it \.csv/],
      ['a.txt', '{"prompt":"a"}\n', /^a\.txt: .*name it \.jsonl/],
      ['a.txt', '[\n"a",\n"b"\n]', /^a\.txt: .*JSON.*name it \.json,/],
      ['a.txt', JSON.stringify([{ prompt: 'a' }], null, 2), /^a\.txt: .*name it \.json,/],
      ['a.txt', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n', /^a\.txt: .*git-lfs pointer/],
      ['a.csv', '<!DOCTYPE html>\n<title>prompt</title>', /^a\.csv: .*web page/],
      ['a.csv', '{"prompt":"a"}\n{"prompt":"b"}\n', /^a\.csv: .*JSON.*\.jsonl/],
      ['a.csv', '\nprompt,x,prompt\na,1,b\n', /^a\.csv:2: expected each column once, received prompt twice/],
      ['a.json', '{"a":{"b":1},"c":{"d":2}}', /^a\.json: expected a list/],
      ['a.json', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, /^a\.json: .*more than 200 deep/],
      ['a.jsonl', `{"prompt":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, /^a\.jsonl:1.*: .*more than 200 deep/],
      ['a.txt', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), /^a\.txt: .*a binary file/],
      ['a.md', 'a', /^a\.md: expected a file named/],
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
