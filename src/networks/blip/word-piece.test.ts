import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { FileError, FormatError } from '../../errors.ts'
import { tinyFixtures } from './tiny-image-reward.test-helper.ts'
import { openVocabulary } from './vocabulary.ts'

const scratch = mkdtempSync(join(tmpdir(), 'attune-word-piece-'))
after(() => rmSync(scratch, { recursive: true }))
const environment = { ...process.env }
process.env.HF_HUB_CACHE = join(scratch, 'hub')
after(() => (process.env = environment))

const lines = readFileSync(join(tinyFixtures, 'vocab.txt'), 'utf8').trimEnd().split('\n')
const rows = JSON.parse(gunzipSync(readFileSync(join(tinyFixtures, 'ids.json.gz'))).toString()) as {
  readonly text: string
  readonly ids: readonly number[]
  readonly count: number
}[]

/** A folder with these files; a record becomes JSON. */
function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(scratch, 'folder-'))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return folder
}

const normalizer = { type: 'BertNormalizer', lowercase: true, strip_accents: null, clean_text: true }
const vocab = Object.fromEntries(lines.map((token, id) => [token, id]))
const whole = { normalizer, model: { type: 'WordPiece', vocab }, added_tokens: [{ id: 0, content: '[PAD]' }] }
const own = [
  { id: lines.length, content: '[DEC]' },
  { id: lines.length + 1, content: '[ENC]' },
]

for (const [name, files] of Object.entries({
  'vocab.txt': { 'vocab.txt': `${lines.join('\n')}\n` },
  'vocab.txt with the line ends of Windows': { 'vocab.txt': lines.join('\r\n') },
  'tokenizer.json': { 'tokenizer.json': whole },
  'tokenizer.json with the tokens of BLIP': { 'tokenizer.json': { ...whole, added_tokens: own } },
})) {
  test(`the ids of transformers: ${name}`, () => {
    const { tokenizer, size } = openVocabulary(folderOf(files))
    assert.equal(size, lines.length + 2)
    const wrong = rows.filter(({ text, ids, count }) => {
      const made = tokenizer.encode(text, 35)
      const padding = Array<number>(35 - ids.length).fill(0)
      return (
        made.ids.join() !== [...ids, ...padding].join() || made.count !== ids.length || tokenizer.count(text) !== count
      )
    })
    assert.deepEqual(wrong.slice(0, 3), [])
  })
}

test('the fixture covers what it should', () => {
  assert.ok(rows.length > 1000)
  assert.ok(rows.filter(({ count }) => count > 35).length > 20)
  const unknown = lines.indexOf('[UNK]')
  assert.ok(rows.filter(({ ids }) => !ids.includes(unknown)).length > 300)
  for (const token of ['[DEC]', '[ENC]'].map((_, i) => lines.length + i))
    assert.ok(rows.some(({ ids }) => ids.includes(token)))
})

test('a vocabulary is found in the cache, beside nothing but the weights', () => {
  for (const name of ['models--google-bert--bert-base-uncased', 'models--bert-base-uncased']) {
    const repository = join(scratch, 'hub', name)
    mkdirSync(join(repository, 'snapshots/abc'), { recursive: true })
    mkdirSync(join(repository, 'refs'))
    writeFileSync(join(repository, 'refs/main'), 'abc')
    writeFileSync(join(repository, 'snapshots/abc/vocab.txt'), lines.join('\n'))
    const { file } = openVocabulary(folderOf({ 'config.json': '{}' }))
    assert.equal(file, join(repository, 'snapshots/abc/vocab.txt'))
    rmSync(repository, { recursive: true })
  }
  assert.throws(() => openVocabulary(folderOf({})), {
    name: FileError.name,
    remedy: 'fetch it: attune model fetch google-bert/bert-base-uncased',
  })
})

test('what is no vocabulary of BERT in lower case is refused', () => {
  const refused = (files: Record<string, unknown>, where: RegExp, message: RegExp) =>
    assert.throws(
      () => openVocabulary(folderOf(files)),
      (error) => error instanceof FormatError && where.test(error.where) && message.test(error.message),
    )
  refused({ 'vocab.txt': '' }, /vocab\.txt$/, /an empty file/)
  refused({ 'vocab.txt': 'version https://git-lfs.github.com/spec/v1\nsize 9\n' }, /vocab\.txt$/, /git-lfs pointer/)
  refused({ 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n' }, /vocab\.txt$/, /the token \[SEP\], received none/)
  refused({ 'vocab.txt': 'x'.repeat(2 ** 24 + 1) }, /vocab\.txt$/, /at most 16777216 bytes/)
  refused({ 'tokenizer.json': '{' }, /tokenizer\.json$/, /JSON/)
  refused(
    { 'tokenizer.json': { ...whole, normalizer: { ...normalizer, lowercase: false } } },
    /normalizer\.lowercase$/,
    /true, received false/,
  )
  refused({ 'tokenizer.json': { ...whole, model: { type: 'BPE', vocab } } }, /model\.type$/, /WordPiece/)
  refused({ 'tokenizer.json': { ...whole, model: { type: 'WordPiece', vocab: { a: -1 } } } }, /vocab\.a$/, /-1/)
})
