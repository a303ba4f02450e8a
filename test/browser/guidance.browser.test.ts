/** What the pages offer next, and what they hold back: policies on weak rewards, and pictures before a blind vote. */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { addImageRun, addRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'

const texts = ['two red circles', 'a blue square']
const facts = { prompts: 20, raters: 1, simulated: false, head: 'mlp', encoder: { name: 'shapes' } }

browserSuite('a reward at chance', (it) => {
  before(async () => {
    const { studio } = it.studio
    const records = await addImageRun(studio, 'round-1', texts, { perPrompt: 3 })
    await it.studio.client.judge({ judgments: records.slice(0, 4).map(({ id }, i) => goodBad(`g${i}`, id)) })
    const heldOut = { n: 11, prompts: 4, auc: 0.467, aucInterval: [0.1, 0.8], clipScoreAuc: 0.6 }
    addRun(studio, 'reward-1', 'reward train', {}, { ...facts, labels: 60, heldOut })
  })

  test('no policy is offered; the page says what is missing, and about how much', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open()
    await page
      .getByText(/reward-1 is no better than chance yet \(AUC 0\.47, 0\.10 … 0\.80.*about 60 more labels/)
      .waitFor()
    await page.getByTestId('next').getByText('Label').waitFor()
    await person.button('Draw more images').first().waitFor()
    assert.equal(await person.button(/^Train/).count(), 0)
    await person.goTo('Rewards')
    await page.getByText('No policy starts by itself on this reward').waitFor()
    // By hand it can be started all the same, by whoever has been told.
    await person.open('train', 'dpok')
    await page.getByText('This reward is not proven').waitFor()
    await person.button('Start').waitFor()
    // Where all is judged, more answers need more images.
    const rest = (await it.studio.studio.store.images()).map(({ record }) => record.id)
    await it.studio.client.judge({ judgments: rest.map((id, i) => goodBad(`r${i}`, id)) })
    await person.open()
    await page.getByTestId('next').getByText('Draw more images').waitFor()
  })

  test('prompts that are written twice are told, and drawn once', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('train', 'round')
    await person.fill({ Prompts: 'a red square\n a red square\n\ntwo crosses\ntwo crosses \na red square' })
    await page.getByText('3 repeated lines are left out: each prompt counts once.').waitFor()
    await person.fill({ Prompts: 'a red square' })
    await page.getByText(/left out/).waitFor({ state: 'hidden' })
  })

  test('prompts come from a file, and the box says what would become of them', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('train', 'round')
    await person.fill({ Prompts: 'two crosses' })
    const choose = async (name: string, content: string) => {
      await page.getByLabel('From a file').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })
    }
    await choose('parti.tsv', 'Prompt\tCategory\na red ring\tx\na dog\tx\na red ring\tx\n')
    await page.getByText('parti.tsv: 2 prompts').waitFor()
    await page.getByText('line 4: a red ring').waitFor()
    assert.equal(await page.getByLabel('Prompts', { exact: true }).inputValue(), 'two crosses')
    await person.button('Add 2 prompts').click()
    assert.equal(await page.getByLabel('Prompts', { exact: true }).inputValue(), 'two crosses\na red ring\na dog')
    await page.getByText('The model refuses 1 prompt:').waitFor()
    await page.getByText(/“a dog”: .*"dog"/).waitFor()
    // A table with two columns of prompts: which one is asked.
    person.expected.push(/400 \(Bad Request\)/)
    await choose('both.csv', 'prompt,text\none,two rings\n')
    await page.getByLabel('Column', { exact: true }).fill('text')
    await person.button('Read it').click()
    await person.button('Add 1 prompt').click()
    assert.match(await page.getByLabel('Prompts', { exact: true }).inputValue(), /\ntwo rings$/)
    // Broken lines are named, and the others can be taken.
    await choose('a.jsonl', '{"prompt": "a cross"}\n{"prompt": 1}\n')
    await page.getByText('1 line is no prompt and left out:').waitFor()
    await page.getByText(/^line 2: /).waitFor()
    await person.button('Leave them').click()

    // From words by category, with their number; braces choose, and wrong prompts are shown beside each.
    await person.fill({ Prompts: '' })
    await page.getByText('Make prompts from words').click()
    await page.getByLabel('Objects, as circle or mouse/mice').fill('ring, cross/crosses')
    await page.getByRole('textbox', { name: 'Colours', exact: true }).fill('red, blue')
    await person.button('Colours (4)').click()
    await page.getByText('1 line that chooses says 4 prompts.').waitFor()
    assert.equal(await page.getByLabel('Prompts', { exact: true }).inputValue(), '{red|blue} {rings|crosses}')
    await page.getByText('What a reward is shown beside them').click()
    await page.getByText('blue crosses', { exact: true }).waitFor()
    assert.deepEqual(await seriousViolations(page), [])
  })
})

browserSuite(
  'the prompts of a checkpoint',
  (it) => {
    test('whose end no text encoder reads are told before they are drawn', async () => {
      await using person = await it.visit({ name: 'Ada' })
      await person.open('train', 'round')
      await person.fill({ Prompts: `a cow\na dog${' and a cat'.repeat(40)}` })
      await person.page.getByText(/1 prompt is longer than the 77 tokens that the model reads/).waitFor()
      await person.page.getByText(/“a dog and a cat .*: \d+ tokens, \d+ cut off/).waitFor()
      await person.button(/^Fits 24 GB/).waitFor()
      assert.deepEqual(await seriousViolations(person.page), [], 'a form with presets')
    })
  },
  { model: fileURLToPath(new URL('../fixtures/stable-diffusion/sd1', import.meta.url)) },
)

browserSuite('a comparison that is not drawn yet', (it) => {
  const policies = ['pretrained', 'dpok-1']
  const runs = ['compare-1-1', 'compare-1-2']
  before(async () => {
    const { studio } = it.studio
    addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' })
    for (const [i, policy] of policies.entries()) {
      await addImageRun(studio, runs[i], texts, { perPrompt: 4, policy, purpose: 'comparison' })
    }
    const about = { prompts: texts, perPrompt: 4, policies, at: new Date().toISOString() }
    writeComparison(studio.workspace, { ...about, id: 'compare-1', seed: 1, runs, jobs: [] })
  })

  test('shows no picture before all are drawn, and none under a name before the own vote', async () => {
    const manifest = it.studio.studio.workspace.at('runs', runs[1], 'manifest.json')
    renameSync(manifest, `${manifest}.away`)
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('compare', 'compare-1')
    await page.getByText(/The images are shown when all are drawn/).waitFor()
    assert.equal(await page.getByRole('main').getByRole('img').count(), 0)
    renameSync(`${manifest}.away`, manifest)
    // Somebody else has voted: that tells this person nothing.
    const [task] = (await it.studio.client.voteTasks('compare-1')).tasks
    const at = new Date().toISOString()
    await it.studio.client.vote({ votes: [{ id: 'v', task: task.id, answer: 'tie', at }] })
    await page.reload()
    await person.heading('Vote first, then look').waitFor()
    assert.equal(await page.getByRole('main').getByRole('img').count(), 0)
    await person.link('Vote blind').click()
    await page.getByText('0 of 8').waitFor()
    await page.keyboard.press('1')
    await page.getByText('1 of 8').waitFor()
    await page.keyboard.press('2')
    await page.getByText('2 of 8').waitFor()
    // The way back of votes, also after a reload, and from the other form.
    await page.reload()
    await page.getByText('2 of 8').waitFor()
    await person.button('Sets').click()
    await page.getByText('0 of 2').waitFor()
    await page.keyboard.press('u')
    await page.getByText('1 of 8').waitFor()
    await person.saved()
    const votes = (await it.studio.studio.store.judgments()).filter(({ rater }) => rater === 'Ada')
    assert.deepEqual(
      votes.map(({ answer }) => answer),
      ['first'],
    )
    // In a browser that knows nothing of it, from another form and question than it was given in.
    await using elsewhere = await it.visit({ name: 'Ada' })
    await elsewhere.open('compare', 'compare-1', 'vote')
    await elsewhere.button('Sets').click()
    await elsewhere.page.getByText('0 of 2').waitFor()
    await elsewhere.button(/^Undo/).click()
    await elsewhere.page.getByText('0 of 8').waitFor()
    await elsewhere.saved()
    const left = (await it.studio.studio.store.judgments()).filter(({ rater }) => rater === 'Ada')
    assert.deepEqual(left, [])
    // Its images stand under names once they are asked for, and then there is no more voting on it.
    await person.open('compare', 'compare-1')
    await person.button('Show side by side').click()
    await person.button('Show them').click()
    await page
      .getByRole('img', { name: /, by dpok-1$/ })
      .first()
      .waitFor()
    await person.open('compare', 'compare-1', 'vote')
    await person.heading('You have seen which policy drew what').waitFor()
  })
})

browserSuite('a run that is broken', (it) => {
  test('leaves everything else at work', async () => {
    const { studio } = it.studio
    await addImageRun(studio, 'round-1', texts, { perPrompt: 3 })
    addRun(studio, 'report-1', 'report', {})
    const { workspace } = studio
    writeFileSync(workspace.at('runs', 'report-1', 'report.json'), '{"torn')
    mkdirSync(workspace.at('runs', 'dpok-7'), { recursive: true })
    writeFileSync(workspace.at('runs', 'dpok-7', 'manifest.json'), '{"torn')
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open()
    await person.heading('What comes next').waitFor()
    await person.heading('Broken').waitFor()
    for (const name of ['report-1', 'dpok-7']) {
      await page.getByRole('main').getByRole('listitem').filter({ hasText: name }).waitFor()
    }
    for (const title of ['Label', 'Train', 'Compare', 'Rewards', 'History', 'Data', 'Raters']) {
      await person.goTo(title)
      await page.getByRole('main').getByRole('heading').first().waitFor({ state: 'attached' })
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
      assert.equal(await page.getByRole('main').getByRole('alert').count(), 0, title)
    }
  })
})
