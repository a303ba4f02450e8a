import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { rememberTexts } from './text-cache.ts'
import { toyEncoder } from './toy-encoder.test-helper.ts'

useThreads(1)

/** The toy encoder, and what it was asked to embed. */
function counting() {
  const asked: (readonly string[])[] = []
  const encoder = {
    ...toyEncoder,
    embedTexts(texts: readonly string[]) {
      asked.push(texts)
      return toyEncoder.embedTexts(texts)
    },
  }
  return { asked, encoder }
}

describe('an encoder that remembers texts', () => {
  it('gives the same rows, and embeds each text once and alone', () => {
    using _scope = tensorScope()
    const { asked, encoder } = counting()
    const remembering = rememberTexts(encoder)
    const texts = ['red rings', 'blue stars', 'red rings']
    assert.deepEqual(remembering.embedTexts(texts).toArray(), toyEncoder.embedTexts(texts).toArray())
    assert.deepEqual(remembering.embedTexts(['blue stars']).toArray(), toyEncoder.embedTexts(['blue stars']).toArray())
    assert.deepEqual(asked, [['red rings'], ['blue stars']])
    assert.equal(remembering.sha256, toyEncoder.sha256)
  })

  it('forgets what was not used for longest, and frees it', () => {
    const { asked, encoder } = counting()
    const remembering = rememberTexts(encoder, 2)
    const before = livingTensors()
    const use = (...texts: string[]) => {
      using _scope = tensorScope()
      assert.deepEqual(remembering.embedTexts(texts).toArray(), toyEncoder.embedTexts(texts).toArray())
    }
    use('a', 'b')
    use('a')
    use('c')
    asked.length = 0
    use('a', 'c')
    assert.deepEqual(asked, [])
    use('b')
    assert.deepEqual(asked, [['b']])
    use('d', 'e', 'f', 'g')
    assert.ok(livingTensors() <= before + 2)
  })
})
