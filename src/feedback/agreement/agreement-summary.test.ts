import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Judgment } from '../../records.ts'
import { agreementByKind, raterSummaries } from './agreement-summary.ts'
import { cohenKappa, krippendorffAlpha } from './agreement.ts'

const at = '2026-01-01T00:00:00Z'
const common = (rater: string, place: number) =>
  ({ id: `${rater} ${place}`, rater, raterKind: 'person', at, durationMs: 1000 * (1 + place) }) as const
const id = (place: number) => String(place).padStart(16, '0')

/** One letter an image: g good, b bad, s skip, . nothing. */
const goodBad = (rater: string, letters: string): Judgment[] =>
  [...letters].flatMap((letter, place): Judgment[] => {
    const answer = ({ g: 'good', b: 'bad', s: 'skip' } as const)[letter]
    if (answer === undefined) return []
    return [{ ...common(rater, place), kind: 'good-bad-skip', images: [id(place)], answer }]
  })
const rating = (rater: string, digits: string): Judgment[] =>
  [...digits].map((digit, place) => ({
    ...common(rater, place),
    kind: 'rating',
    images: [id(place)],
    answer: 'rated',
    ratings: { overall: Number(digit), alignment: 1, fidelity: 1 },
  }))

describe('agreementByKind', () => {
  it('leaves out what was skipped or judged once', () => {
    const judgments = [...goodBad('ada', 'ggbbgb.s'), ...goodBad('bob', 'gbbbg.gg'), ...goodBad('eve', '.....s..')]
    const [{ kind, items, raters, alphaNominal, fleissKappa, pairs }, ...more] = agreementByKind(judgments)
    assert.deepEqual([kind, items, raters, more], ['good-bad-skip', 5, 2, []])
    const pair = [[1, 1], [1, 0], [0, 0], [0, 0], [1, 1]] as const // prettier-ignore
    assert.equal(alphaNominal!.value, krippendorffAlpha(pair, 'nominal')())
    assert.ok(Math.abs(fleissKappa!.value - (0.8 - 0.5) / 0.5) < 1e-12)
    assert.deepEqual(
      pairs.map(({ first, second, kappa }) => [first, second, kappa.value, kappa.n]),
      [['ada', 'bob', cohenKappa(pair), 5]],
    )
  })

  it('weighs the steps of ratings', () => {
    const [{ alphaNominal, alphaOrdinal, pairs }] = agreementByKind([
      ...rating('ada', '1234567'),
      ...rating('bob', '2345677'),
    ])
    assert.ok(alphaOrdinal!.value > 0.8 && alphaNominal!.value < 0.1)
    assert.ok(pairs[0].kappa.value > 0.8)
  })

  it('takes a ranking for the pairs that it orders, and a pair in any order of its images', () => {
    const ranking = (rater: string, images: number[], ranks: number[]): Judgment => ({
      ...common(rater, 0),
      kind: 'ranking',
      images: images.map(id),
      answer: 'ranked',
      ranks,
    })
    const pair = (rater: string, images: number[], answer: 'first' | 'second' | 'tie' | 'both-bad'): Judgment => ({
      ...common(rater, images[0]),
      kind: 'pair',
      images: images.map(id),
      answer,
    })
    const judgments = [
      ranking('ada', [0, 1, 2], [1, 2, 2]),
      ranking('bob', [2, 0, 1], [2, 1, 2]),
      ...[pair('ada', [0, 1], 'first'), pair('bob', [1, 0], 'second')],
      ...[pair('ada', [2, 3], 'tie'), pair('bob', [3, 2], 'both-bad')],
      { ...ranking('eve', [0, 1], []), answer: 'skip', ranks: undefined } as Judgment,
    ]
    const summary = agreementByKind(judgments).map(({ kind, items, alphaNominal }) => [
      kind,
      items,
      alphaNominal?.value,
    ])
    assert.deepEqual(summary, [
      ['pair', 2, 1],
      ['ranking', 3, 1],
    ])
  })

  it('has nothing to say of votes, and no figure where all answers are equal', () => {
    const [only] = agreementByKind([...goodBad('ada', 'ggg'), ...goodBad('bob', 'ggg')])
    assert.deepEqual([only.alphaNominal, only.fleissKappa, only.pairs], [null, null, []])
    const vote = {
      kind: 'vote',
      images: [id(0), id(1)],
      answer: 'first',
      policies: ['a', 'b'],
      question: 'fidelity',
    } as const
    const votes = ['ada', 'bob'].map((rater): Judgment => ({
      ...common(rater, 0),
      ...vote,
      images: [...vote.images],
      policies: [...vote.policies],
    }))
    assert.deepEqual(agreementByKind(votes), [])
  })
})

describe('raterSummaries', () => {
  it('tells speed, skips, gold and agreement of everybody', () => {
    const judgments = [...goodBad('bob', 'gbbbgsgg'), ...goodBad('ada', 'ggbbgbgb'), ...rating('bob', '17')]
    const gold = new Map([0, 1, 5].map((place) => [id(place), 'good' as const]))
    const [ada, bob] = raterSummaries(judgments, gold)
    const { agreement, ...rest } = ada
    assert.deepEqual(rest, {
      name: 'ada',
      kind: 'person',
      judgments: 8,
      skips: 0,
      secondsPerAnswer: 4.5,
      gold: { asked: 3, right: 2 },
      lastAt: at,
    })
    assert.deepEqual([agreement!.n, bob.agreement!.n], [7, 7])
    assert.equal(agreement!.value, bob.agreement!.value)
    assert.deepEqual([bob.judgments, bob.skips, bob.gold], [10, 1, { asked: 2, right: 1 }])
  })

  it('says nothing where there is nothing', () => {
    assert.deepEqual(raterSummaries([], new Map()), [])
    const [alone] = raterSummaries(
      goodBad('ada', 'gb').map(({ durationMs: _, ...rest }) => rest),
      new Map(),
    )
    assert.deepEqual([alone.agreement, alone.secondsPerAnswer, alone.gold.asked], [null, null, 0])
  })
})
