import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { FileError, FormatError } from '../../errors.ts'
import { publishedTokenizer, publishedVocabulary } from './published-tokenizer.ts'
import { openTokenizer } from './tokenizer.ts'

const fixtures = join(import.meta.dirname, '../../../test/fixtures/clip-tokenizer')
const unpacked = (name: string) => gunzipSync(readFileSync(join(fixtures, name))).toString()
const scratch = mkdtempSync(join(tmpdir(), 'attune-clip-tokenizer-'))
after(() => rmSync(scratch, { recursive: true }))

/** What one folder of tokenizer files makes of the prompts, according to transformers. */
interface Layout {
  readonly name: string
  readonly files: Readonly<Record<string, Record<string, unknown>>>
  readonly of: readonly number[]
  readonly ids: readonly (readonly number[])[]
  readonly counts: readonly number[]
}
const { prompts, layouts } = JSON.parse(unpacked('prompts.json.gz')) as { prompts: string[]; layouts: Layout[] }

/** The vocabulary of the real CLIP, which follows from its merges. */
const mergesText = gunzipSync(readFileSync(join(import.meta.dirname, '../../../weights/clip-merges.txt.gz'))).toString()
const merges = mergesText.trimEnd().split('\n').slice(1)
const vocab = vocabOf(merges)

function vocabOf(merges: readonly string[]): Record<string, number> {
  const ranges = [
    [33, 126],
    [161, 172],
    [174, 255],
  ]
  const printable = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
  const others = Array.from({ length: 256 - printable.length }, (_, i) => 256 + i)
  const characters = [...printable, ...others].map((code) => String.fromCharCode(code))
  const joined = merges.map((merge) => merge.replace(' ', ''))
  const tokens = [...characters, ...characters.map((c) => `${c}</w>`), ...joined, '<|startoftext|>', '<|endoftext|>']
  return Object.fromEntries(tokens.map((token, id) => [token, id]))
}

/** A folder with these files; a record becomes JSON. */
function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(scratch, 'folder-'))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

const tables = { 'vocab.json': vocab, 'merges.txt': mergesText }
const small = { 'vocab.json': vocabOf(['c a', 'ca t</w>']), 'merges.txt': '#version: 0.2\r\nc a\r\nca t</w>\r\n' }

for (const { name, files, of, ids, counts } of layouts) {
  test(`the ids of transformers: ${name}`, () => {
    const whole = files['tokenizer.json'] as { model: object } | undefined
    const tokenizer = openTokenizer(
      folderOf(
        whole === undefined
          ? { ...tables, ...files }
          : { ...files, 'tokenizer.json': { ...whole, model: { ...whole.model, vocab, merges } } },
      ),
    )
    const wrong = of
      .map((index, i) => ({ prompt: prompts[index], ids: ids[i], count: counts[i] }))
      .filter(({ prompt, ids, count }) => {
        return tokenizer.encode(prompt).join() !== ids.join() || tokenizer.count(prompt) !== count
      })
    assert.deepEqual(wrong.slice(0, 3), [])
    assert.ok(of.length > 100)
  })
}

for (const [i, pad] of (['<|endoftext|>', '!'] as const).entries()) {
  test(`without files, the published tokenizer padded with ${pad}`, () => {
    const [tokenizer, { of, ids }] = [publishedTokenizer(pad), layouts[i]]
    const wrong = of.filter((index, i) => tokenizer.encode(prompts[index]).join() !== ids[i].join())
    assert.deepEqual(
      wrong.map((index) => prompts[index]),
      [],
    )
    assert.equal(tokenizer.eos, publishedVocabulary - 1)
  })
}

test('the fixtures cover what they should', () => {
  assert.equal(Object.keys(vocab).length, 49408)
  assert.ok(prompts.length >= 2500)
  const full = layouts.filter(({ of }) => of.length === prompts.length)
  assert.deepEqual(
    full.map(({ ids }) => ids[prompts.indexOf('')].at(-1)),
    [49407, 0],
  )
  assert.ok(full[0].counts.filter((count) => count > 77).length > 50)
})

test('start, words, end and padding', () => {
  const tokenizer = openTokenizer(folderOf(small))
  const { length, bos, eos, pad } = tokenizer
  assert.deepEqual({ length, bos, eos, pad }, { length: 77, bos: 514, eos: 515, pad: 515 })
  assert.deepEqual(tokenizer.encode(' CAT\tcab'), [514, 513, 512, 65 + 256, ...Array<number>(73).fill(515)])
  assert.equal(tokenizer.count('cat cab'), 5)
})

test('a text that is too long keeps its end token', () => {
  const tokenizer = openTokenizer(folderOf({ ...small, 'tokenizer_config.json': { model_max_length: 4 } }))
  assert.equal(tokenizer.length, 4)
  assert.deepEqual(tokenizer.encode('cat cat'), [514, 513, 513, 515])
  assert.deepEqual(tokenizer.encode('cat cat cat'), [514, 513, 513, 515])
  assert.equal(tokenizer.count('cat cat cat'), 5)
})

test('the length that transformers writes for "unknown" is 77', () => {
  const config = '{"model_max_length": 1000000000000000019884624838656}'
  assert.equal(openTokenizer(folderOf({ ...small, 'tokenizer_config.json': config })).length, 77)
})

test('special tokens may be texts or objects, and the map goes before the config', () => {
  const config = { pad_token: '!', eos_token: { __type: 'AddedToken', content: 'cat</w>' }, unk_token: null }
  const asConfigured = openTokenizer(folderOf({ ...small, 'tokenizer_config.json': config }))
  assert.deepEqual([asConfigured.eos, asConfigured.pad], [513, 0])
  const map = { pad_token: { content: 'ca', lstrip: false } }
  const mapped = openTokenizer(folderOf({ ...small, 'tokenizer_config.json': config, 'special_tokens_map.json': map }))
  assert.deepEqual([mapped.eos, mapped.pad], [513, 512])
})

test('bytes that the vocabulary lacks get the id of the unknown token', () => {
  const { 'a</w>': _, ...rest } = small['vocab.json']
  const tokenizer = openTokenizer(folderOf({ ...small, 'vocab.json': rest }))
  assert.deepEqual(tokenizer.encode('a b').slice(0, 4), [514, 515, 65 + 256, 515])
})

test('half a surrogate pair is the replacement character', () => {
  const tokenizer = openTokenizer(folderOf(small))
  assert.deepEqual(tokenizer.encode('a\ud800b'), tokenizer.encode('a\ufffdb'))
})

/** Opening the folder fails with one line that names the file. */
function expectRefused(folder: string, kind: typeof FileError | typeof FormatError, pattern: RegExp): void {
  assert.throws(
    () => openTokenizer(folder),
    (error) => {
      assert.ok(error instanceof kind)
      assert.ok(error.message.startsWith(folder))
      assert.match(error.message, pattern)
      assert.doesNotMatch(error.message, /\n/)
      return true
    },
  )
}
const refuse = (files: Readonly<Record<string, unknown>>, pattern: RegExp) =>
  expectRefused(folderOf(files), FormatError, pattern)

test('missing and unreadable files', () => {
  expectRefused(folderOf({}), FileError, /vocab\.json: expected a file of a CLIP tokenizer, received no such file/)
  expectRefused(folderOf({ 'vocab.json': vocab }), FileError, /merges\.txt: .*no such file/)
  expectRefused(folderOf({ 'merges.txt': mergesText }), FileError, /vocab\.json: .*no such file/)
  const folder = folderOf(small)
  mkdirSync(join(folder, 'tokenizer_config.json'))
  expectRefused(folder, FileError, /tokenizer_config\.json: .*EISDIR/)
})

test('broken JSON', () => {
  refuse({ ...small, 'vocab.json': '{"a": 1,\n"b"\n' }, /vocab\.json: expected JSON, received .*JSON/)
  refuse({ ...small, 'special_tokens_map.json': 'no\njson' }, /special_tokens_map\.json: expected JSON/)
  refuse({ ...small, 'tokenizer_config.json': '[]' }, /tokenizer_config\.json: expected an object, received \[\]/)
  refuse({ 'tokenizer.json': '' }, /tokenizer\.json: expected JSON/)
})

test('a vocabulary that is none', () => {
  for (const broken of ['null', '3', '["a"]', '{"a": "b"}', '{"a": 0.5}', '{"a": -1}']) {
    refuse({ ...small, 'vocab.json': broken }, /vocab\.json: expected ids by token, received/)
  }
})

test('merges that do not fit', () => {
  const merged = (text: string) => ({ ...small, 'merges.txt': text })
  refuse(merged('#version: 0.2\nc a\ncat</w>\n'), /merges\.txt:3: expected two tokens .* received "cat<\/w>"/)
  refuse(merged('c a\n\nca t</w>\n'), /merges\.txt:2: expected two tokens .* received ""/)
  refuse(merged('c a\nd o\n'), /merges\.txt:2: expected tokens of the vocabulary, received "do"/)
  refuse(merged('c a\nca x</w>y\n'), /merges\.txt:2: expected tokens of the vocabulary, received "x<\/w>y"/)
  refuse(merged('c constructor\n'), /merges\.txt:1: .* received "constructor"/)
})

test('special tokens without an id, and settings that make no sense', () => {
  const config = (content: object) => ({ ...small, 'tokenizer_config.json': content })
  refuse(config({ bos_token: '<s>' }), /vocab\.json: expected an id for the bos token "<s>", received no such token/)
  refuse({ ...small, 'special_tokens_map.json': { pad_token: '[PAD]' } }, /id for the pad token "\[PAD\]"/)
  refuse(config({ eos_token: 7 }), /tokenizer_config\.json eos_token: expected a token: .* received 7/)
  refuse(config({ eos_token: '' }), /tokenizer_config\.json eos_token: expected a token: .* received ""/)
  refuse(config({ model_max_length: 2 }), /model_max_length: expected a whole number above 2, at most 4096, received 2/)
  refuse(config({ model_max_length: '77' }), /model_max_length: expected a whole number above 2, .*, received "77"/)
  refuse(config({ model_max_length: 2 ** 31 }), /model_max_length: expected a whole number above 2, .* 2147483648/)
  refuse(config({ added_tokens_decoder: { x: '!' } }), /added_tokens_decoder/)
  const many = (count: number, token: (i: number) => string) =>
    config({ added_tokens_decoder: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, token(i)])) })
  refuse(many(10_001, String), /tokenizer_config\.json added tokens: expected at most 10000, .* received 1000\d/)
  refuse(
    many(1, () => 'x'.repeat(257)),
    /added tokens: expected .* 256 characters, received one of 257/,
  )
})

test('of thousands of added tokens the longest one counts', () => {
  const tokens = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [1000 + i, `<${'x'.repeat(i % 200)}${i}`]))
  const folder = folderOf({ ...small, 'tokenizer_config.json': { added_tokens_decoder: { ...tokens, 20000: '<x1>' } } })
  assert.deepEqual(
    openTokenizer(folder)
      .encode(`<x1>${'<'.repeat(5000)}`)
      .slice(0, 3),
    [514, 20000, 27],
  )
})

test('a tokenizer.json of another kind', () => {
  const model = { type: 'BPE', end_of_word_suffix: '</w>', vocab: small['vocab.json'], merges: ['c a'] }
  const whole = (change: object) => ({ 'tokenizer.json': { model: { ...model, ...change } } })
  assert.equal(openTokenizer(folderOf(whole({}))).eos, 515)
  refuse({ 'tokenizer.json': {} }, /tokenizer\.json model: expected an object with vocab and merges, received nothing/)
  refuse(whole({ type: 'Unigram' }), /tokenizer\.json model\.type: expected BPE, received "Unigram"/)
  refuse(
    whole({ end_of_word_suffix: null }),
    /model\.end_of_word_suffix: expected <\/w>, as CLIP has it, received null/,
  )
  refuse(whole({ vocab: [] }), /tokenizer\.json model\.vocab: expected ids by token, received \[\]/)
  refuse(whole({ merges: [['c', 'a'], 3] }), /tokenizer\.json merge 1: expected two tokens .* received 3/)
  refuse(whole({ merges: ['d o'] }), /tokenizer\.json merge 0: .* received "do"/)
})

test('the two tables go before tokenizer.json', () => {
  const folder = folderOf(small)
  cpSync(join(folder, 'vocab.json'), join(folder, 'tokenizer.json'))
  assert.equal(openTokenizer(folder).eos, 515)
})
