import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setGold } from '../feedback/queue/gold.ts'
import { excludeRater } from '../feedback/raters/raters.ts'
import { trainingJudgments } from '../feedback/training-judgments.ts'
import { random } from '../random.ts'
import type { Judgment } from '../records.ts'
import { examplesOfJudgments } from '../reward/examples/examples-of-judgments.ts'
import { preferencesOf } from '../reward/examples/preferences.ts'
import { PairBook } from './pair-book.ts'
import { writeComparison } from './server/comparison-files.ts'
import { addImageRun, addRun, goodBad, testStudio } from './studio.test-helper.ts'

const texts = (count: number) => Array.from({ length: count }, (_, i) => `${i} things`)
const at = '2026-01-01T00:00:00.000Z'

test('pairs come from every kind of answer, and of those that may train alone', async () => {
  await using it = await testStudio({ model: 'somewhere/checkpoint' })
  const pairs = async () => (await it.client.state()).pairs!
  assert.deepEqual([(await pairs()).pairs, (await pairs()).prompts], [0, 0])
  const images = await addImageRun(it.studio, 'round-1', texts(4), { perPrompt: 3 })
  const ids = images.map(({ id }) => id)
  const ada = it.as('Ada')
  await ada.judge({ judgments: [goodBad('a', ids[0]), goodBad('b', ids[1], 'bad'), goodBad('c', ids[2], 'bad')] })
  assert.deepEqual([(await pairs()).pairs, (await pairs()).prompts], [2, 1])
  await ada.judge({
    judgments: [
      { id: 'p', kind: 'pair', images: [ids[3], ids[4]], answer: 'second', at },
      { id: 't', kind: 'pair', images: [ids[4], ids[5]], answer: 'tie', at },
      { id: 'r', kind: 'ranking', images: ids.slice(6, 9), answer: 'ranked', ranks: [1, 2, 2], at },
    ],
  })
  assert.deepEqual([(await pairs()).pairs, (await pairs()).prompts], [5, 3])
  const stars = (id: string, image: string, overall: number) =>
    ({ id, kind: 'rating' as const, images: [image], answer: 'rated' as const, ratings: { overall, alignment: 4, fidelity: 4 }, at }) // prettier-ignore
  await it.as('Bob').judge({ judgments: [stars('s1', ids[9], 3), stars('s2', ids[10], 5), stars('s3', ids[11], 5)] })
  assert.deepEqual([(await pairs()).pairs, (await pairs()).prompts], [7, 4])
  await excludeRater(it.studio.store.database, 'Bob', true)
  assert.equal((await pairs()).pairs, 5)
  const form = async () => (await it.client.stages()).stages.find(({ stage }) => stage === 'policy dpo')!
  assert.equal((await form()).missing, null)
  await excludeRater(it.studio.store.database, 'Ada', true)
  assert.equal((await pairs()).pairs, 0)
  assert.match((await form()).missing!, /Compare images first/)
  await assert.rejects(it.client.startJob({ stage: 'policy dpo' }), /Compare images first/)
})

test('what is taken back, restored or said anew counts as if it were read for the first time', async () => {
  await using it = await testStudio({ model: 'somewhere/checkpoint' })
  const { store } = it.studio
  const images = await addImageRun(it.studio, 'round-1', texts(6), { perPrompt: 4, side: 4 })
  const stream = random(5)
  const given: string[] = []
  for (let turn = 0; turn < 12; turn++) {
    const judgments = Array.from({ length: 8 }, (_, k): Judgment => {
      const id = `${turn} ${k}`
      const by = { id, rater: stream.pick(['Ada', 'Bob']), raterKind: 'person', at } as const
      const first = 4 * stream.integer(0, 5)
      const [one, two] = stream.shuffle(images.slice(first, first + 4)).map((image) => image.id)
      const undoes = turn > 0 && k > 4 ? { undoes: stream.pick(given) } : {}
      given.push(id)
      return k % 2 === 0
        ? { ...by, ...undoes, kind: 'good-bad-skip', images: [one], answer: stream.pick(['good', 'bad', 'skip']) }
        : { ...by, ...undoes, kind: 'pair', images: [one, two], answer: stream.pick(['first', 'second', 'tie']) }
    })
    await store.addJudgments(judgments)
    if (turn === 6) await excludeRater(store.database, 'Bob', true)
    if (turn === 8) await setGold(store.database, images[0].id, 'good')
    if (turn === 10) await excludeRater(store.database, 'Bob', false)
    const fresh = await new PairBook(store, it.studio.model).all()
    assert.deepEqual(await it.studio.pairs.all(), fresh)
    assert.equal(fresh.pairs, preferencesOf(examplesOfJudgments(await trainingJudgments(store), (id) => images.find((one) => one.id === id)?.text)).filter(({ isTie }) => !isTie).length) // prettier-ignore
  }
})

test('prompts that the model cannot read do not count', async () => {
  await using it = await testStudio()
  const images = await addImageRun(it.studio, 'round-1', ['two red circles', 'a dog'])
  await it.client.judge({ judgments: images.map(({ id }, i) => goodBad(`j${i}`, id, i % 2 === 0 ? 'good' : 'bad')) })
  assert.deepEqual((await it.client.state()).pairs!.prompts, 1)
})

test('it is said from how many on they train, and how well they could be measured', async () => {
  await using it = await testStudio({ model: 'somewhere/checkpoint' })
  const pairs = async () => (await it.client.state()).pairs!
  const perPrompt = 24
  const images = await addImageRun(it.studio, 'round-1', texts(40), { perPrompt, side: 4 })
  // One of each prompt in turn.
  const compare = async (from: number, to: number) => {
    const judgments = Array.from({ length: to - from }, (_, k) => {
      const first = ((from + k) % 40) * perPrompt + 2 * Math.floor((from + k) / 40)
      const two = [images[first].id, images[first + 1].id]
      return { id: `p${from + k}`, kind: 'pair' as const, images: two, answer: 'first' as const, at }
    })
    await it.client.judge({ judgments })
  }
  await compare(0, 29)
  assert.equal((await pairs()).missing, 1)
  await compare(29, 120)
  const { missing, caveat, settings } = await pairs()
  assert.deepEqual([missing, caveat], [0, { choices: 120, measured: 24, wanted: 480 }])
  assert.equal(settings.heldOut, 0.2)
  await compare(120, 300)
  await compare(300, 480)
  const many = await pairs()
  assert.deepEqual([many.pairs, many.caveat], [480, null])
  // All settings are ones that the stage has, and what is started by them is in the queue.
  const { settings: started } = await it.client.startJob({ stage: 'policy dpo', settings: many.settings })
  assert.deepEqual({ ...started, ...many.settings }, started)
})

test('what comes after a policy from pairs: the blind comparison, the report, its own round, and further pairs', async () => {
  await using it = await testStudio({ model: 'somewhere/checkpoint' })
  const next = async () => (await it.client.state()).next
  const images = await addImageRun(it.studio, 'round-1', texts(40))
  const compare = (records: typeof images, name: string) =>
    it.client.judge({
      judgments: Array.from({ length: records.length / 2 }, (_, i) => ({
        ...{ id: `${name}${i}`, kind: 'pair' as const, answer: 'first' as const, at },
        images: [records[2 * i].id, records[2 * i + 1].id],
      })),
    })
  await compare(images, 'a')
  assert.equal((await next()).step, 'train-reward')
  addRun(it.studio, 'dpo-1', 'policy dpo', {})
  const { step, policy } = await next()
  assert.deepEqual([step, policy], ['compare', 'dpo-1'])
  const [prompts, perPrompt, purpose] = [texts(4), 4, 'comparison'] as const
  await addImageRun(it.studio, 'compare-1-1', prompts, { perPrompt, purpose })
  const tuned = await addImageRun(it.studio, 'compare-1-2', prompts, { perPrompt, purpose, policy: 'dpo-1' })
  const about = { prompts: [...prompts], perPrompt, policies: ['pretrained', 'dpo-1'], at }
  writeComparison(it.studio.workspace, { ...about, id: 'compare-1', seed: 1, runs: ['compare-1-1', 'compare-1-2'], jobs: [] }) // prettier-ignore
  assert.equal((await next()).step, 'vote')
  const ada = it.as('Ada')
  const { tasks } = await ada.voteTasks('compare-1', { count: 50 })
  const isTuned = (id: string) => tuned.some((record) => record.id === id)
  await ada.vote({
    votes: tasks.map((task, i) => ({
      ...{ id: `v${i}`, task: task.id, at },
      answer: isTuned(task.first[0].id) ? ('first' as const) : ('second' as const),
    })),
  })
  assert.equal((await next()).step, 'report')
  addRun(it.studio, 'report-1', 'report', { dpo: 'runs/dpo-1' })
  assert.equal((await next()).step, 'draw-again')
  const own = await addImageRun(it.studio, 'round-2', texts(40), { policy: 'dpo-1', seed: 2 })
  assert.equal((await next()).step, 'label')
  await compare(own, 'b')
  const further = await next()
  assert.deepEqual([further.step, further.policy], ['train-pairs', 'dpo-1'])
  // Whoever has trained a reward since goes on with it.
  const heldOut = { n: 90, prompts: 4, auc: 0.9, aucInterval: [0.8, 1], clipScoreAuc: 0.6 }
  const facts = { prompts: 40, raters: 1, simulated: false, head: 'mlp', encoder: { name: 'shapes' }, labels: 90 }
  addRun(it.studio, 'reward-1', 'reward train', {}, { ...facts, heldOut })
  assert.equal((await next()).step, 'train-policy')
})
