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
})
