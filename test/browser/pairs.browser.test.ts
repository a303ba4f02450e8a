/** From pairs of images straight to a policy, as a person goes there: one button, and the blind comparison at its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserSuite } from './browser-suite.ts'
import { jobPatienceMs, until } from './visitor.ts'

browserSuite('a policy from pairs', (it) => {
  test('one button trains from all of them, shows how far it is, and leads to the blind comparison', async () => {
    const { client } = it.studio
    const { id } = await client.drawRound({ promptCount: 10, perPrompt: 3 })
    await until(() => client.job(id), ({ state }) => state === 'done', jobPatienceMs) // prettier-ignore
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open()
    await person.heading('What comes next').waitFor()
    const way = page.getByRole('region', { name: 'Straight from what people prefer' })
    assert.equal(await way.count(), 0)

    const images = (await it.studio.studio.store.images()).map(({ record }) => record)
    const pairs = [...Map.groupBy(images, ({ text }) => text).values()].flatMap(([a, b, c]) => [[a, b], [b, c], [a, c]]) // prettier-ignore
    const compare = (some: typeof pairs, name: string) =>
      client.judge({
        judgments: some.map(([a, b], i) => ({
          ...{ id: `${name}${i}`, kind: 'pair' as const, answer: 'first' as const, at: new Date().toISOString() },
          images: [a.id, b.id],
        })),
      })
    await compare(pairs.slice(1), 'a')
    await page.reload()
    await way.getByText('1 more pair with a better image would be enough').waitFor()
    assert.equal(await way.getByRole('button').count(), 0)
    await way.getByRole('link', { name: 'Compare images' }).click()
    await page.waitForURL(/label\/pair/)
    await compare(pairs.slice(0, 1), 'b')

    await person.open()
    // What so few can show is said before anything starts.
    await way.getByText(/too few to show that it prefers what people prefer/).waitFor()
    await person.button('Train from these 30 pairs').click()
    await person.heading('The model is learning').waitFor()
    await page.getByRole('progressbar', { name: 'Progress of dpo-1' }).first().waitFor()
    assert.equal(await way.count(), 0)
    await page.getByText('Nobody knows yet whether dpo-1 is better').waitFor({ timeout: jobPatienceMs })
    const [job] = (await client.jobs()).jobs
    const { results, settings } = await client.job(job.id)
    assert.deepEqual([job.stage, job.state, settings.policy, Number(results.pairs) + Number(results.heldOutPairs)], ['policy dpo', 'done', null, 30]) // prettier-ignore
    await page.getByTestId('next').click()
    await page.waitForURL(/compare\/compare-1/)
    assert.deepEqual(
      (await client.comparisons()).comparisons.map(({ policies }) => policies),
      [['pretrained', 'dpo-1']],
    )
    // The next one starts from it.
    await until(() => client.state(), ({ jobs }) => jobs.every(({ state }) => state === 'done'), jobPatienceMs) // prettier-ignore
    await person.open()
    await way.getByText(/^dpo-1 can learn from 30 pairs of images of 10 prompts/).waitFor()
    await person.button('Train from these 30 pairs').waitFor()
  })
})
