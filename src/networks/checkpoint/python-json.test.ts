import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePythonJson } from './python-json.ts'

describe('JSON as Python writes it', () => {
  it('has three words among its numbers', () => {
    const text = '{"a": -Infinity, "b": [Infinity, NaN, -1.5e3], "c": {"d": NaN}, "e":Infinity}'
    assert.deepEqual(parsePythonJson(text), { a: -Infinity, b: [Infinity, NaN, -1500], c: { d: NaN }, e: Infinity })
    assert.equal(parsePythonJson('NaN'), NaN)
  })

  it('keeps them in texts and names, whatever is escaped there', () => {
    const value = { NaN: 'NaN', '-Infinity': 'to Infinity, "NaN" \\', 'a\\"NaN': ['\\', 'NaN\n'], last: 1 }
    const text = JSON.stringify(value)
    assert.deepEqual(parsePythonJson(text), value)
    assert.deepEqual(parsePythonJson(text.replace('"last":1', '"last":NaN')), { ...value, last: NaN })
  })

  it('passes over a byte order mark, and is strict otherwise', () => {
    assert.deepEqual(parsePythonJson('\uFEFF{"a": 1}'), { a: 1 })
    for (const text of ['', '{"a": NaN', '{"a": nan}', '{"a": +Infinity}', "{'a': NaN}", '{"a": 1,}', '{"a": NaNs}']) {
      assert.throws(() => parsePythonJson(text), SyntaxError, text)
    }
  })

  it('refuses what is too deep or too long for memory, and reads a long text', () => {
    const long = { text: '\n'.repeat(2e6) }
    assert.deepEqual(parsePythonJson(JSON.stringify(long)), long)
    const deep = '['.repeat(300) + ']'.repeat(300)
    for (const text of [deep, deep.replace('[]', '[NaN]'), '['.repeat(1e6)]) {
      assert.throws(() => parsePythonJson(text), /more than 200 deep/)
    }
    const many = parsePythonJson(`[${'NaN,'.repeat(3e5)}{"__proto__":NaN}]`) as unknown[]
    assert.ok(many.slice(0, -1).every((one) => Number.isNaN(one)))
    assert.ok(Number.isNaN(Object.getOwnPropertyDescriptor(many.at(-1), '__proto__')?.value))
    assert.throws(() => parsePythonJson('[0]', 2), /3 characters, above 2/)
  })
})
