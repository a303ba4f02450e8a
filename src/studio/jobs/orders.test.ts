/** Prompts that a person writes are read by the world of the studio's model. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { worldOf } from '../worlds.ts'
import { promptsFrom } from './orders.ts'

describe('prompts that a person wrote', () => {
  it('say what they ask for in the words of the world', () => {
    const [prompt] = promptsFrom(['two red circles'], worldOf('shapes'))
    assert.deepEqual(prompt.attributes, { object: 'circle', color: 'red', count: 2 })
    assert.equal(prompt.category, 'combination')
  })

  it('are free text to a model without one', () => {
    const prompts = promptsFrom(['two red circles', ' two red circles'], worldOf('owner/photos'))
    assert.deepEqual(
      prompts.map(({ text, category, attributes }) => ({ text, category, attributes })),
      [{ text: 'two red circles', category: 'other', attributes: undefined }],
    )
  })
})
