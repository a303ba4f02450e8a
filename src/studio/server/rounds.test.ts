/** No two rounds are drawn with one seed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addImageRun, testStudio } from '../studio.test-helper.ts'

test('rounds and comparisons have seeds of their own, whether those before are drawn, wait or were stopped', async () => {
  await using it = await testStudio()
  await addImageRun(it.studio, 'round-0', ['two red circles'], { seed: 4 })
  await addImageRun(it.studio, 'elsewhere', ['a cross'], { seed: Number.MAX_SAFE_INTEGER })
  const draw = () => it.client.drawRound({ prompts: ['two red circles'], perPrompt: 1 })
  const rounds = await Promise.all([draw(), draw()])
  for (const { id } of rounds.toReversed()) await it.client.stopJob(id)
  rounds.push(await it.client.startJob({ stage: 'images generate', settings: { promptCount: 1 } }))
  assert.deepEqual(
    rounds.map(({ settings }) => settings.seed),
    [5, 6, 7],
  )
})
