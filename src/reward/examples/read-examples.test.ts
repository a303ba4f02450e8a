import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { imageRecord, judgment } from '../../feedback/feedback-fixtures.test-helper.ts'
import { openFeedback } from '../../feedback/store/store.ts'
import { readExamples } from './read-examples.ts'

test('images of prompts that the encoder cannot read are left out with their judgments', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'examples-'))
  const file = join(folder.path, 'feedback.sqlite')
  const [ring, dog, cat] = ['a red ring', 'a dog', 'a cat'].map((text, i) => imageRecord(i, text))
  {
    await using store = await openFeedback(file)
    await store.addImages([ring, dog, cat], folder.path)
    await store.addJudgments([judgment('1', ring), judgment('2', dog, 'bad')])
  }
  const { examples, judgments, judged, unreadable } = await readExamples(file, (text) => text.includes('ring'))
  assert.deepEqual(
    [examples.labels, judgments.length, unreadable],
    [[{ image: 0, text: 'a red ring', good: true }], 1, 2],
  )
  assert.deepEqual(
    judged.map(({ id }) => id),
    [ring.id],
  )
  assert.equal((await readExamples(file)).judgments.length, 2)
})
