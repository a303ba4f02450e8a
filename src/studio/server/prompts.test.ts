/** What the studio says of prompts before they are drawn, and of those that repeat. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testStudio } from '../studio.test-helper.ts'

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/stable-diffusion/${name}`, import.meta.url))

test('prompts are checked: repeats, words that the embedded model does not know', async () => {
  await using it = await testStudio()
  const found = await it.client.checkPrompts(['two red circles', 'a dog', ' two red circles '])
  assert.deepEqual([found.prompts, found.total, found.repeated], [['two red circles', 'a dog'], 2, 1])
  assert.equal(found.cut, null)
  assert.equal(found.unreadable.count, 1)
  assert.match(found.unreadable.named[0].reason, /"dog"/)
  const job = await it.client.drawRound({ prompts: ['crosses', 'crosses', ' crosses', 'rings'], perPrompt: 1 })
  assert.equal(job.repeatedPrompts, 2)
})

test('what a checkpoint’s text encoder cuts is said', async () => {
  const long = `a dog${' and a cat'.repeat(40)}`
  for (const model of ['sd1', 'sdxl', 'single-files/sd1.safetensors'].map(fixture)) {
    await using it = await testStudio({ model })
    const { cut, unreadable } = await it.client.checkPrompts(['a cow', long])
    assert.equal(cut?.count, 1)
    assert.equal(cut.read, 77)
    assert.ok(cut.named[0].tokens > 77 && long.startsWith(cut.named[0].prompt.slice(0, -1)))
    assert.equal(unreadable.count, 0)
  }
})

test('files of prompts are read as the command line reads them', async () => {
  await using it = await testStudio()
  const table = new File(['Prompt\tCategory\n"two red circles\tColors\na cross\tNone\na cross\tNone\n'], 'parti.tsv')
  const found = await it.client.promptsOfFile(table)
  assert.deepEqual([found.prompts, found.repeated], [['"two red circles', 'a cross'], 1])
  assert.deepEqual([found.again, found.wrong], [[{ line: 4, text: 'a cross' }], { count: 0, named: [] }])
  const wide = new File([Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('two rings\r\n', 'utf16le')])], 'a.txt')
  assert.deepEqual((await it.client.promptsOfFile(wide)).prompts, ['two rings'])
  const latin = new File([Buffer.from('ein H\xfcndchen\n', 'latin1')], 'a.txt')
  await assert.rejects(it.client.promptsOfFile(latin), /a\.txt: expected a text in UTF-8.*“ein Hündchen”/)
  const both = new File(['prompt,text\na,two rings\n'], 'a.csv')
  await assert.rejects(it.client.promptsOfFile(both), /a\.csv:1: .*prompt and text/)
  assert.deepEqual((await it.client.promptsOfFile(both, 'text')).prompts, ['two rings'])
})

test('broken lines of a file are named, all at once, and the others are taken', async () => {
  await using it = await testStudio()
  const lines = [
    '{"prompt": "two red circles"}',
    '{"prompt": ',
    '',
    '{"prompt": "a cross"}',
    '{"seed": 1}',
    '{"prompt": "a cross"}',
  ]
  const found = await it.client.promptsOfFile(new File([lines.join('\r\n')], 'a.jsonl'))
  assert.deepEqual(found.prompts, ['two red circles', 'a cross'])
  assert.deepEqual(
    found.wrong.named.map(({ line }) => line),
    [2, 5],
  )
  assert.deepEqual(found.again, [{ line: 6, text: 'a cross' }])
  await assert.rejects(it.client.promptsOfFile(new File(['{\n{\n'], 'a.jsonl')), /a\.jsonl:1/)
  const table = new File(['prompt\na cross\n"broken\n'], 'a.csv')
  await assert.rejects(it.client.promptsOfFile(table), /a\.csv/)
  const rows = ['prompt,seed', 'two rings,1', 'a cross,2,too much', '', '"two, red circles",3', 'a ring,minus one']
  const rest = await it.client.promptsOfFile(new File([rows.join('\n')], 'a.csv'))
  assert.deepEqual(rest.prompts, ['two rings', 'two, red circles'])
  const led = new File(['{"prompt": "a ring", "negative_prompt": "blue"}\n{"prompt": "a cross"}\n'], 'a.jsonl')
  assert.equal((await it.client.promptsOfFile(led)).negatives, 1)
  assert.deepEqual(rest.wrong.named.map(({ line }) => line), [3, 6]) // prettier-ignore
  await assert.rejects(it.client.promptsOfFile(new File(['colour\nred\n'], 'a.csv')), /a\.csv:1/)
})

test('each prompt comes with wrong ones that a reward is shown beside it, and words to make prompts of', async () => {
  await using it = await testStudio()
  const { distractors } = await it.client.checkPrompts(['two red circles', 'a poem'])
  assert.equal(distractors.length, 2)
  assert.equal(new Set(distractors[0].texts).size, 6)
  assert.ok(!distractors[0].texts.includes('two red circles'))
  assert.deepEqual(distractors[1], { prompt: 'a poem', texts: [] })
  const { objects, colors, counts } = await it.client.promptWords()
  assert.ok(objects.some(({ plural }) => plural === 'circles') && colors.includes('red') && counts[0] === 'one')
  await using other = await testStudio({ model: fixture('sd1') })
  assert.ok((await other.client.promptWords()).objects.some(({ singular }) => singular === 'dog'))
  const wrong = (await other.client.checkPrompts(['a red dog'])).distractors[0].texts
  assert.ok(wrong.length > 0 && wrong.every((text) => /^an? \w+ dog$/.test(text)), wrong.join())
})
