import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { imageRecord } from '../../feedback/feedback-fixtures.test-helper.ts'
import { decide } from '../../feedback/raters/decisions.ts'
import { excludeRater } from '../../feedback/raters/raters.ts'
import { openFeedback } from '../../feedback/store/store.ts'
import { startRun } from '../../run.ts'
import { comparedPolicies } from '../compared-policies.ts'
import { readVotes, strengthsOf, votesReport } from './people-votes.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))
const run = (name: string) => {
  using made = startRun({ folder: join(folder, name), stage: 'policy dpok', config: {} })
  made.finish()
  return made.folder
}

/** `dpok-1 pretrained fidelity 2 1 3` is 2 votes for the first, 1 tie, 3 for the second, each on images of its own. */
async function store(name: string, lines: readonly string[], more: Record<string, unknown> = {}): Promise<string> {
  const file = join(folder, `${name}.sqlite`)
  await using opened = await openFeedback(file)
  const votes = lines.flatMap((line) => {
    const [first, second, question, ...counts] = line.split(' ')
    return (['first', 'tie', 'second'] as const).flatMap((answer, place) =>
      Array.from({ length: Number(counts[place]) }, (_, i) => ({ first, second, question, answer, i, line })),
    )
  })
  const images = votes.flatMap((_, i) => [imageRecord(2 * i), imageRecord(2 * i + 1)])
  await opened.addImages(images, folder)
  await opened.addJudgments(
    votes.map(({ first, second, question, answer }, i) => ({
      id: `${name}-${i}`,
      kind: 'vote',
      images: [images[2 * i].id, images[2 * i + 1].id],
      policies: [first, second],
      question: question as 'alignment',
      answer,
      rater: 'ada',
      raterKind: 'person',
      at: '2026-01-01T00:00:00Z',
      ...more,
    })),
  )
  return file
}

const policies = comparedPolicies([`ours=${run('dpok-1')}`, `other=${run('dpok-2')}`])

test('votes are found by the names of the runs, whichever side they were on, under the names of the report', async () => {
  const file = await store('plain', [
    'dpok-1 pretrained alignment 9 4 3',
    'pretrained dpok-1 alignment 0 2 3',
    'dpok-2 dpok-1 alignment 4 0 2',
    'dpok-9 pretrained alignment 5 5 5',
    'dpok-1 pretrained fidelity 7 0 0',
  ])
  const votes = (await readVotes([file, join(folder, 'gone.sqlite'), file], policies))!
  const { pairs, raters, nu } = votesReport(votes)
  assert.equal(raters, 1)
  assert.deepEqual(
    pairs.map(({ policy, against, question, wins, ties, losses, duels }) =>
      [policy, against, question, wins, ties, losses, duels].join(' '),
    ),
    ['ours base alignment 12 6 3 21', 'other ours alignment 4 0 2 6', 'ours base fidelity 7 0 0 7'],
  )
  assert.ok(Math.abs(pairs[0].rate.mean - 15 / 21) < 1e-12)
  // Whoever won everything has no finite strength.
  assert.deepEqual(nu.map(({ question }) => question), ['alignment']) // prettier-ignore
  const { alignment, fidelity } = strengthsOf(votes, 'ours')
  assert.ok(alignment!.low < alignment!.mean && alignment!.mean > 0)
  assert.equal(fidelity, null)
  assert.deepEqual(Object.keys(strengthsOf(votes, 'other')), ['alignment'])
  assert.deepEqual([strengthsOf(votes, 'best-of-n'), strengthsOf(undefined, 'ours')], [{}, {}])
})

test('raters who vote on one comparison count once, together', async () => {
  const lines = ['dpok-1 pretrained alignment 6 0 3']
  const one = await readVotes([await store('one', lines)], policies)
  const twice = await store('twice', lines)
  {
    await using opened = await openFeedback(twice)
    const again = (await opened.judgments()).map((vote) => ({ ...vote, id: `${vote.id}-bob`, rater: 'bob' }))
    await opened.addJudgments(again)
  }
  const both = (await readVotes([twice], policies))!
  assert.equal(both.raters, 2)
  assert.deepEqual(strengthsOf(both, 'ours'), strengthsOf(one, 'ours'))
  {
    await using opened = await openFeedback(twice)
    await excludeRater(opened.database, 'bob', true)
  }
  assert.equal((await readVotes([twice], policies))!.raters, 1)
  {
    await using opened = await openFeedback(twice)
    const by = { decision: 'left-out', by: 'me', at: '2026-01-01T00:00:00Z' } as const
    await decide(opened.database, (await opened.judgments()).map(({ id }) => id), by) // prettier-ignore
  }
  assert.equal(await readVotes([twice], policies), undefined, 'all are left out')
})

test('skips, votes of programs, and votes between two runs of one name count for nothing', async () => {
  const lines = ['dpok-1 pretrained alignment 3 0 2']
  assert.equal(await readVotes([await store('skipped', lines, { answer: 'skip' })], policies), undefined)
  assert.equal(await readVotes([await store('program', lines, { raterKind: 'simulated' })], policies), undefined)
  assert.equal(await readVotes([], policies), undefined)
  const twice = comparedPolicies([`a=${join(folder, 'dpok-1')}`, `b=${join(folder, 'dpok-1')}`])
  assert.equal(await readVotes([await store('same', lines)], twice), undefined)
})
