/** Comparisons and blind votes, with runs that are there already. */
import assert from 'node:assert/strict'
import { renameSync, statSync, truncateSync } from 'node:fs'
import { test } from 'node:test'
import { StudioError } from '../../errors.ts'
import { addImageRun, addRun, refused, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { writeComparison } from './comparison-files.ts'
import { winRates } from './votes.ts'

const at = '2026-01-01T00:00:00.000Z'
const texts = ['two red circles', '<b>three</b> crosses']

async function compared(): Promise<TestStudio> {
  const it = await testStudio()
  addRun(it.studio, 'dpok-1', 'policy dpok', { reward: 'runs/r' })
  await addImageRun(it.studio, 'compare-1-1', texts, { perPrompt: 4, purpose: 'comparison' })
  await addImageRun(it.studio, 'compare-1-2', texts, { perPrompt: 4, policy: 'dpok-1', purpose: 'comparison' })
  const policies = ['pretrained', 'dpok-1']
  const runs = ['compare-1-1', 'compare-1-2']
  writeComparison(it.studio.workspace, {
    id: 'compare-1',
    at,
    prompts: texts,
    perPrompt: 4,
    seed: 2,
    policies,
    runs,
    jobs: [],
  })
  return it
}

test('side by side; images of a comparison are not asked about', async () => {
  await using it = await compared()
  const detail = await it.client.openComparison('compare-1')
  assert.deepEqual([detail.ready, detail.rows.length, detail.policies], [true, 8, ['pretrained', 'dpok-1']])
  assert.ok(detail.rows.every(({ images: [a, b] }) => a !== null && b !== null && a.id !== b.id))
  assert.deepEqual((await it.client.tasks({ mode: 'good-bad' })).tasks, [])
  assert.deepEqual((await it.client.rounds()).rounds, [])
  await assert.rejects(it.client.comparison('compare-2'), /an unknown one/)
})

const imagesIn = ({ rows }: Awaited<ReturnType<TestStudio['client']['comparison']>>) =>
  rows.flatMap(({ images }) => images.flatMap((image) => image?.id ?? []))

/** Of the images of the second policy, to somebody who has opened the comparison. */
const tunedIn = async (it: TestStudio) =>
  new Set((await it.as('Opener').openComparison('compare-1')).rows.map(({ images }) => images[1]!.id))

test('until all is drawn and a rater opens the comparison, no image stands beside its policy anywhere', async () => {
  await using it = await compared()
  const [ada, bob] = [it.as('Ada'), it.as('Bob')]
  const drawn = await Promise.all(
    ['compare-1-1', 'compare-1-2'].map((run) => it.studio.workspace.at('runs', run, 'manifest.json')),
  )
  const ids = (await it.studio.store.images()).map(({ record }) => record.id)
  const sees = async (client: typeof ada) => [
    imagesIn(await client.comparison('compare-1')).length,
    (await client.gallery({ count: 50 })).total,
    (await client.gallery({ policy: 'dpok-1', archived: 'shown' })).images.length,
    (await client.gallery({ round: 'compare-1-2' })).images.length,
  ]
  const blind = refused(409, 'blind')
  for (const manifest of drawn) {
    renameSync(manifest, `${manifest}.away`)
    const nothing = { tasks: [], progress: { done: 0, total: 0 } }
    const { tasks, progress, opened } = await ada.voteTasks('compare-1')
    assert.deepEqual([{ tasks, progress }, opened], [nothing, false])
    assert.deepEqual(await sees(ada), [0, 0, 0, 0])
    await assert.rejects(ada.openComparison('compare-1'), refused(409, 'wrong-state'))
    renameSync(`${manifest}.away`, manifest)
  }
  const { tasks } = await ada.voteTasks('compare-1', { count: 50 })
  await ada.vote({ votes: [{ id: 'v', task: tasks[0].id, answer: 'tie', at }] })
  assert.deepEqual(await sees(ada), [0, 0, 0, 0], 'one vote of eight opens nothing')
  await assert.rejects(ada.galleryImage(ids[0]), blind)
  assert.equal((await it.app.request(`/api/gallery/export?images=${ids[9]}`)).status, 409)

  const opening = await ada.openComparison('compare-1')
  assert.deepEqual([opening.opened, imagesIn(opening).length, await sees(ada)], [true, 16, [16, 16, 8, 8]])
  assert.ok(['pretrained', 'dpok-1'].includes((await ada.galleryImage(ids[0])).policy))
  assert.deepEqual(await sees(bob), [0, 0, 0, 0], 'each opens it alone')
  assert.deepEqual(
    (await bob.comparisons()).comparisons.map(({ opened }) => opened),
    [false],
  )
  const { database } = it.studio.store
  await database.updateTable('opened_comparisons').set({ opened_at: '2026-01-01T00:00:01.000Z' }).execute()
  const later = '2026-01-01T00:00:02.000Z'
  // Who knows which policy drew what votes no more; what was voted before counts, and can be taken back.
  const after = await ada.voteTasks('compare-1')
  assert.deepEqual([after.tasks, after.opened, after.progress], [[], true, { done: 1, total: 8 }])
  const late = { id: 'late', task: tasks[1].id, answer: 'first' as const }
  await assert.rejects(ada.vote({ votes: [{ ...late, at: later }] }), refused(409, 'opened'))
  assert.deepEqual(await ada.vote({ votes: [{ ...late, at }] }), { added: 1, known: 0 })
  await ada.vote({ votes: [{ ...late, id: 'back', at: later, undoes: 'late' }] })
  assert.equal((await bob.voteTasks('compare-1')).tasks.length, 5)
  await ada.openComparison('compare-1')
  const rows = await database.selectFrom('opened_comparisons').selectAll().execute()
  assert.deepEqual(rows.map(Object.values), [['compare-1', 'Ada', '2026-01-01T00:00:01.000Z']], 'the first time counts')
})

test('votes are blind, count once, and give a win rate', async () => {
  await using it = await compared()
  const ada = it.as('Ada')
  const { tasks, progress } = await ada.voteTasks('compare-1', { count: 50 })
  assert.deepEqual([tasks.length, progress], [8, { done: 0, total: 8 }])
  assert.ok(!JSON.stringify(tasks).includes('dpok') && !JSON.stringify(tasks).includes('pretrained'))
  const tuned = await tunedIn(it)
  const sideOf = ({ first }: (typeof tasks)[number]) =>
    tuned.has(first[0].id) ? ('first' as const) : ('second' as const)
  const others = await Promise.all(
    ['Bob', 'Cy', 'Di', 'Ed'].map((name) => it.as(name).voteTasks('compare-1', { count: 50 })),
  )
  const sides = [tasks, ...others.map((other) => other.tasks)].flat().map(sideOf)
  assert.deepEqual(new Set(sides), new Set(['first', 'second']), 'sides change')
  const votes = tasks.map((task, i) => ({
    id: `v${i}`,
    task: task.id,
    answer: i === 0 ? ('tie' as const) : sideOf(task),
    at,
  }))
  assert.deepEqual(await ada.vote({ votes }), { added: 8, known: 0 })
  assert.deepEqual(await ada.vote({ votes }), { added: 0, known: 8 })
  const after = await ada.voteTasks('compare-1')
  assert.deepEqual([after.tasks.length, after.progress], [0, { done: 8, total: 8 }])
  assert.equal((await ada.voteTasks('compare-1', { question: 'fidelity' })).progress.done, 0)
  const [rate] = (await it.client.votes()).winRates
  assert.deepEqual([rate.first, rate.wins, rate.ties, rate.losses, rate.decided], ['dpok-1', 7, 1, 0, null])
  assert.equal(rate.rate?.value, 7.5 / 8)
  await it.client.changeRater('Ada', { excluded: true })
  assert.deepEqual((await it.client.votes()).winRates, [], 'votes of an excluded rater')
  await it.client.changeRater('Ada', { excluded: false })
  await ada.vote({ votes: [{ ...votes[0], id: 'undo', undoes: 'v0' }] })
  assert.equal((await it.client.votes()).winRates[0].votes, 7)
  const exported = async () => await it.app.request(ada.exportUrl('jsonl').replace('http://localhost', ''), { headers: { 'x-attune-rater': 'Ada' } }) // prettier-ignore
  const closed = await exported()
  assert.equal(closed.headers.get('x-attune-held'), '9')
  assert.equal(await closed.text(), '', 'who may still vote is not told which policy drew what')
  await ada.vote({ votes: [{ ...votes[0], id: 'hasty', durationMs: 200 }] })
  const { flags } = await it.client.flags()
  assert.deepEqual(flags.map(({ kind, canAskAgain, answers }) => [kind, canAskAgain, answers[0].id]), [['fast', false, 'hasty']]) // prettier-ignore
  assert.ok(!/dpok|pretrained|compare-1-/.test(JSON.stringify(flags)), 'and tell nobody which policy drew what')
  assert.equal((await it.client.votes()).winRates[0].votes, 8, 'a flag leaves nothing out')
  await it.client.decideFlags({ judgments: ['hasty'], decision: 'left-out' })
  assert.equal((await it.client.votes()).winRates[0].votes, 7)
  await assert.rejects(it.as('Bob').vote({ votes }), /vote task: expected/, 'a task is of one rater')
  for (const task of ['compare-9.x', 'compare-1', '../compare-1.x', '']) {
    await assert.rejects(ada.vote({ votes: [{ id: 'w', task, answer: 'first', at }] }), StudioError)
  }
  const held = await it.as('Bob').voteTasks('compare-1', { count: 1 })
  const next = await it.as('Bob').voteTasks('compare-1', { count: 1, without: held.tasks[0].id })
  assert.notEqual(next.tasks[0].id, held.tasks[0].id)
})

test('no duel of some policies is voted on before all have drawn: what comes last would be told by it', async () => {
  await using it = await compared()
  addRun(it.studio, 'dpok-2', 'policy dpok', { reward: 'runs/r' })
  await addImageRun(it.studio, 'compare-1-3', texts, { perPrompt: 4, policy: 'dpok-2', purpose: 'comparison' })
  const runs = ['compare-1-1', 'compare-1-2', 'compare-1-3']
  writeComparison(it.studio.workspace, {
    id: 'compare-1',
    at,
    prompts: texts,
    perPrompt: 4,
    seed: 2,
    policies: ['pretrained', 'dpok-1', 'dpok-2'],
    runs,
    jobs: [],
  })
  for (const run of runs) {
    const manifest = it.studio.workspace.at('runs', run, 'manifest.json')
    renameSync(manifest, `${manifest}.away`)
    assert.equal((await it.client.voteTasks('compare-1')).progress.total, 0)
    renameSync(`${manifest}.away`, manifest)
  }
  assert.equal((await it.client.voteTasks('compare-1')).progress.total, 24)
})

test('where a picture is torn, the others are voted on', async () => {
  await using it = await compared()
  const file = it.studio.workspace.at('runs', 'compare-1-2', 'images', '000003.png')
  truncateSync(file, statSync(file).size - 20)
  const { tasks, progress } = await it.client.voteTasks('compare-1', { count: 50 })
  assert.deepEqual([tasks.length, progress.total], [7, 7])
  assert.equal((await it.client.voteTasks('compare-1', { form: 'set' })).tasks.length, 1)
})

test('own votes can be taken back wherever the rater comes in again, and nobody is told of those of others', async () => {
  await using it = await compared()
  const ada = it.as('Ada')
  const given: string[] = []
  for (const form of ['single', 'set'] as const) {
    for (const question of ['alignment', 'fidelity'] as const) {
      const [task] = (await ada.voteTasks('compare-1', { form, question, count: 1 })).tasks
      await ada.vote({ votes: [{ id: `${form}-${question}`, task: task.id, answer: 'first', at, durationMs: 5 }] })
      const [{ vote, form: told, task: shown }] = (await ada.ownVotes('compare-1')).answers
      assert.deepEqual(
        [vote, told, shown],
        [{ id: `${form}-${question}`, task: task.id, answer: 'first', at, durationMs: 5 }, form, task],
      )
      given.unshift(vote.id)
    }
  }
  const { answers } = await ada.ownVotes('compare-1')
  assert.deepEqual(
    answers.map(({ vote }) => vote.id),
    given,
  )
  assert.ok(!/dpok|pretrained|compare-1-/.test(JSON.stringify(answers)))
  assert.deepEqual(await it.as('Bob').ownVotes('compare-1'), { answers: [] })
  assert.equal((await ada.ownVotes('compare-1', { count: 1 })).answers.length, 1)
  const [{ vote }] = answers
  await ada.vote({ votes: [{ ...vote, id: 'back', undoes: vote.id }] })
  assert.deepEqual(
    (await ada.ownVotes('compare-1')).answers.map((one) => one.vote.id),
    given.slice(1),
  )
})

test('sets of four: a prompt is won with two thirds of its votes', async () => {
  await using it = await compared()
  const tuned = await tunedIn(it)
  for (const [r, rater] of ['a', 'b', 'c'].entries()) {
    const { tasks } = await it.as(rater).voteTasks('compare-1', { form: 'set' })
    assert.deepEqual([tasks.length, tasks[0].first.length], [2, 4])
    const votes = tasks.map((task, i) => {
      const better = tuned.has(task.first[0].id) ? ('first' as const) : ('second' as const)
      const worse = better === 'first' ? ('second' as const) : ('first' as const)
      // Of the first prompt two of three are for the tuned policy; of the other one is, one is not, one is a tie.
      const answer = task.prompt === texts[0] ? (r < 2 ? better : worse) : ([better, worse, 'tie'] as const)[r]
      return { id: `${rater}${i}`, task: task.id, answer, at }
    })
    await it.as(rater).vote({ votes })
  }
  const [rate] = (await it.client.votes()).winRates
  assert.deepEqual(
    [rate.form, rate.votes, rate.raters, rate.decided],
    ['set', 6, 3, { first: 1, second: 0, undecided: 1 }],
  )
})

test('win rates leave skips out', () => {
  const vote = {
    id: 'a',
    kind: 'vote',
    images: ['x', 'y'],
    answer: 'skip',
    policies: ['p', 'q'],
    question: 'alignment',
    rater: 'r',
    raterKind: 'person',
    at,
  } as const
  assert.deepEqual(winRates([{ ...vote, images: [...vote.images], policies: [...vote.policies] }]), [])
})

/** Each row a question, each letter a vote: for `p`, for `q`, or a tie. Every second rater sees the sides swapped. */
const votesOf = (questions: readonly string[], size: number) =>
  questions.flatMap((letters, q) =>
    [...letters].map((letter, r) => {
      const sides = [0, 1].map((side) => Array.from({ length: size }, (_, i) => `${q}-${side}-${i}`))
      const isSwapped = r % 2 === 1
      return {
        id: `${q}-${r}`,
        kind: 'vote' as const,
        images: (isSwapped ? sides.toReversed() : sides).flat(),
        policies: isSwapped ? ['q', 'p'] : ['p', 'q'],
        answer:
          letter === 't' ? ('tie' as const) : (letter === 'q') === isSwapped ? ('first' as const) : ('second' as const),
        question: 'alignment' as const,
        rater: `r${r}`,
        raterKind: 'person' as const,
        at,
      }
    }),
  )

test('sets: a question is won with two thirds of its votes, and the rate is that of the questions', () => {
  // Won 3 : 0 and 2 : 1, lost 0 : 3, undecided 1 : 1 with a tie and 2 : 2.
  const [rate] = winRates(votesOf(['ppp', 'pqp', 'qqq', 'pqt', 'pqqp'], 4))
  assert.deepEqual([rate.votes, rate.raters, rate.wins, rate.losses, rate.ties], [16, 4, 8, 7, 1])
  assert.deepEqual(rate.decided, { first: 2, second: 1, undecided: 2 })
  // (2 + 2/2) of 5: Wilson's interval of 3 of 5 is (0.2307, 0.8824).
  assert.deepEqual([rate.rate!.value, rate.rate!.n], [0.6, 5])
  assert.deepEqual([rate.rate!.low!.toFixed(4), rate.rate!.high!.toFixed(4)], ['0.2307', '0.8824'])
})

test('single pairs: raters who vote on the same pair make the interval no narrower than pairs do', () => {
  const questions = ['p', 'p', 'p', 'p', 'p', 'p', 'p', 'p', 'q', 'q']
  const [one] = winRates(votesOf(questions, 1))
  const [three] = winRates(
    votesOf(
      questions.map((vote) => vote.repeat(3)),
      1,
    ),
  )
  assert.deepEqual([one.votes, three.votes, three.wins, three.losses, three.decided], [10, 30, 24, 6, null])
  assert.deepEqual(one.rate, three.rate)
  assert.deepEqual([one.rate!.low!.toFixed(4), one.rate!.high!.toFixed(4)], ['0.4902', '0.9433'])
})

const first = (votes: ReturnType<typeof votesOf>) => winRates(votes)[0].verdict

test('a verdict counts duels, and each once, however many raters vote on it', () => {
  const won = first(votesOf(Array.from({ length: 8 }, () => 'p'), 1)) // prettier-ignore
  assert.deepEqual([won.better, won.won, won.tied, won.lost, won.wanted], ['first', 8, 0, 0, null])
  assert.ok(won.share!.low > 0.5)
  const few = first(votesOf(['ppp', 'ppp', 'ppp'], 1))
  assert.deepEqual([few.better, few.won, few.wanted!.least], [null, 3, 5], 'nine votes on three duels')
  // 6 wins, 33 ties and 9 losses: 47 % with ties as halves.
  const close = first(votesOf([...'p'.repeat(6), ...'t'.repeat(33), ...'q'.repeat(9)], 1))
  assert.deepEqual([close.better, close.won, close.tied, close.lost, close.wanted!.about], [null, 6, 33, 9, null])
  assert.ok(close.share!.low < 0.5 && close.share!.high > 0.5 && close.share!.value === 0.4)
  const worse = first(votesOf([...'q'.repeat(9), 't', 't'], 4))
  assert.deepEqual([worse.better, worse.lost, worse.tied], ['second', 9, 2])
  // A tie first, then a side: that side. Two that contradict each other: a tie.
  assert.deepEqual([first(votesOf(['tp', 'pq'], 1)).won, first(votesOf(['tp', 'pq'], 1)).tied], [1, 1])
  // Decided by the first votes, and turned around by the later ones: nothing is decided.
  const turned = first(votesOf(Array.from({ length: 10 }, () => 'pqq'), 1)) // prettier-ignore
  assert.deepEqual([turned.better, turned.lost, turned.wanted], [null, 10, { least: 1, about: null }])
})

test('the pre-trained model is never the one that is spoken of, whatever the other is called', () => {
  const votes = votesOf(['ppp', 'p', 't'], 1).map((vote) => ({
    ...vote,
    policies: vote.policies.map((name) => (name === 'p' ? 'pretrained' : 'zeta')),
  }))
  const [{ first: name, wins, losses, ties, verdict, rate }] = winRates(votes)
  assert.deepEqual([name, wins, losses, ties, verdict.won, verdict.lost], ['zeta', 0, 4, 1, 0, 2])
  assert.ok(rate!.value < 0.5 && verdict.share!.value === 0)
})

test('whoever votes is told how far it is, never who is ahead', async () => {
  await using it = await compared()
  const tuned = await tunedIn(it)
  const ada = it.as('Ada')
  const { tasks, standing } = await ada.voteTasks('compare-1', { count: 50 })
  assert.deepEqual(standing, { decided: false, wanted: { least: 8, about: null } })
  const votes = tasks.map((task, i) => ({
    ...{ id: `v${i}`, task: task.id, at },
    answer: tuned.has(task.first[0].id) ? ('first' as const) : ('second' as const),
  }))
  await ada.vote({ votes: votes.slice(0, 5) })
  const told = await it.as('Bob').voteTasks('compare-1', { count: 50 })
  assert.equal(told.standing.wanted!.least, 3)
  assert.ok(!/pretrained|dpok/.test(JSON.stringify(told)))
  await ada.vote({ votes: votes.slice(5) })
  const decided = await it.as('Bob').voteTasks('compare-1')
  assert.deepEqual([decided.standing, decided.tasks.length], [{ decided: true, wanted: null }, 5], 'voting may go on')
  assert.equal((await ada.voteTasks('compare-1', { question: 'fidelity' })).standing.decided, false)
  assert.deepEqual((await it.client.votes()).winRates[0].verdict.better, 'first')
})

test('a comparison needs different policies that are there, and words that the model knows', async () => {
  await using it = await compared()
  await assert.rejects(it.client.compare({ policies: ['pretrained', 'dpok-9'] }), /an unknown name/)
  await assert.rejects(it.client.compare({ policies: ['dpok-1', 'dpok-1'] }), /one of them twice/)
  await assert.rejects(it.client.compare({ policies: ['pretrained', 'dpok-1'], prompts: ['a unicorn'] }), /unicorn/)
})
