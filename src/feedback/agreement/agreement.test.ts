import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { ShapeError } from '../../errors.ts'
import { random } from '../../random.ts'
import { bootstrapInterval } from './agreement-interval.ts'
import { cohenKappa, fleissKappa, krippendorffAlpha, type ItemAnswers } from './agreement.ts'

const packages = z
  .object({
    alpha: z.array(
      z.object({ raters: z.array(z.array(z.number().nullable())), nominal: z.number(), ordinal: z.number() }),
    ),
    cohen: z.array(
      z.object({
        first: z.array(z.number()),
        second: z.array(z.number()),
        scale: z.array(z.number()),
        none: z.number(),
        linear: z.number(),
        quadratic: z.number(),
      }),
    ),
    interval: z.object({
      first: z.array(z.number()),
      second: z.array(z.number()),
      kappa: z.number(),
      low: z.number(),
      high: z.number(),
    }),
    none: z.array(z.enum(['nan', 'ValueError'])),
    fleiss: z.array(z.object({ counts: z.array(z.array(z.number())), kappa: z.number() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/fixtures/agreement.json', import.meta.url), 'utf8')))

/** One row a rater, `.` where there is no answer. */
function itemsOf(...rows: readonly string[]): ItemAnswers[] {
  const raters = rows.map((row) => row.split(' ').map((word) => (word === '.' ? undefined : Number.parseInt(word, 36))))
  return raters[0].map((_, item) => raters.map((row) => row[item]))
}

const near = (received: number | undefined, expected: number, tolerance = 1e-12) =>
  assert.ok(received !== undefined && Math.abs(received - expected) <= tolerance, `${received} is not ${expected}`)

describe('krippendorffAlpha', () => {
  it('has the values of Krippendorff 2011: two raters, two categories', () => {
    const items = itemsOf('0 1 0 0 0 0 0 0 1 0', '1 1 1 0 0 1 0 0 0 0')
    near(krippendorffAlpha(items, 'nominal')(), 0.095, 5e-4)
  })

  it('has the values of Krippendorff 2011: two raters, five categories', () => {
    const items = itemsOf('a a b b d c c c e d d a', 'b a b b b c c c e d d d')
    near(krippendorffAlpha(items, 'nominal')(), 0.692, 5e-4)
  })

  it('has the values of Krippendorff 2011: four raters, answers missing', () => {
    const items = itemsOf(
      '1 2 3 3 2 1 4 1 2 . . .',
      '1 2 3 3 2 2 4 1 2 5 . 3',
      '. 3 3 3 2 3 4 2 2 5 1 .',
      '1 2 3 3 2 4 4 1 2 5 1 .',
    )
    near(krippendorffAlpha(items, 'nominal')(), 0.743, 5e-4)
    near(krippendorffAlpha(items, 'ordinal')(), 0.815, 5e-4)
  })

  it('has the values of the Python package krippendorff', () => {
    for (const { raters, nominal, ordinal } of packages.alpha) {
      const items = raters[0].map((_, item) => raters.map((row) => row[item] ?? undefined))
      near(krippendorffAlpha(items, 'nominal')(), nominal)
      near(krippendorffAlpha(items, 'ordinal')(), ordinal)
    }
  })

  it('counts an item as often as it is told to', () => {
    const items = itemsOf('1 2 3 1', '1 3 3 2')
    const repeated = [...items, items[1], items[1]]
    near(krippendorffAlpha(items, 'ordinal')([1, 3, 1, 1]), krippendorffAlpha(repeated, 'ordinal')()!)
  })

  it('does not exist where nothing can be compared', () => {
    assert.equal(krippendorffAlpha([], 'nominal')(), undefined)
    assert.equal(krippendorffAlpha([[1], [2, undefined]], 'nominal')(), undefined)
    assert.equal(krippendorffAlpha([[1, 1], [1, 1]], 'ordinal')(), undefined) // prettier-ignore
  })
})

describe('cohenKappa', () => {
  it('has the value of Cohen 1960', () => {
    const table = [
      [88, 14, 18],
      [10, 40, 10],
      [2, 6, 12],
    ]
    const cells = table.flatMap((row, i) => row.map((times, j) => ({ pair: [i, j] as const, times })))
    const pairs = cells.map(({ pair }) => pair)
    const times = cells.map((cell) => cell.times)
    near(cohenKappa(pairs, 'none', [0, 1, 2], times), 0.492, 5e-4)
  })

  it('has the values of scikit-learn, with weights too', () => {
    for (const { first, second, scale, ...kappas } of packages.cohen) {
      const pairs = first.map((answer, item) => [answer, second[item]] as const)
      for (const weights of ['none', 'linear', 'quadratic'] as const) {
        near(cohenKappa(pairs, weights, scale), kappas[weights])
      }
      near(cohenKappa(pairs), kappas.none)
    }
  })

  it('does not exist for one answer only, and knows its scale', () => {
    assert.equal(cohenKappa([]), undefined)
    assert.equal(cohenKappa([[1, 1], [1, 1]]), undefined) // prettier-ignore
    assert.throws(() => cohenKappa([[1, 8]], 'linear', [1, 2, 3]), ShapeError)
  })
})

/** Diagnoses by six psychiatrists of thirty patients, in five categories: Fleiss 1971, Table 1. */
const diagnoses = `00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006`
  .split(/\s+/)
  .map((row) => [...row].map(Number))

describe('fleissKappa', () => {
  it('has the value of Fleiss 1971', () => {
    const totals = [0, 1, 2, 3, 4].map((category) => diagnoses.reduce((sum, row) => sum + row[category], 0))
    assert.deepEqual(totals, [26, 26, 30, 55, 43])
    near(fleissKappa(diagnoses), 0.43, 5e-4)
  })

  it('has the values of statsmodels', () => {
    for (const { counts, kappa } of packages.fleiss) near(fleissKappa(counts), kappa)
  })

  it('needs equally many answers of every item', () => {
    assert.equal(fleissKappa([]), undefined)
    assert.equal(fleissKappa([[3, 0], [3, 0]]), undefined) // prettier-ignore
    for (const counts of [
      [
        [2, 0],
        [2, 1],
      ],
      [
        [2, 0],
        [2, 0, 0],
      ],
      [[1, 0]],
    ]) {
      // prettier-ignore
      assert.throws(() => fleissKappa(counts), ShapeError)
    }
  })
})

describe('bootstrapInterval', () => {
  it('covers the figure, is the same for the same seed, and narrows with more items', () => {
    const some = bootstrapInterval(diagnoses, fleissKappa)!
    assert.ok(some.low! < some.value && some.value < some.high!)
    assert.equal(some.n, 30)
    assert.deepEqual(bootstrapInterval(diagnoses, fleissKappa), some)
    const more = bootstrapInterval([0, 1, 2, 3, 4, 5, 6, 7].flatMap(() => diagnoses), fleissKappa)! // prettier-ignore
    near(more.value, some.value)
    assert.ok(more.high! - more.low! < (some.high! - some.low!) / 2)
  })

  it('covers the true figure about 95 times in 100', () => {
    // κ of the population in which every row of Fleiss' table is equally frequent is the table's own
    const truth = fleissKappa(diagnoses)!
    let covered = 0
    for (let seed = 0; seed < 100; seed++) {
      const stream = random(17, seed)
      const sample = diagnoses.map(() => stream.pick(diagnoses))
      const { low, high } = bootstrapInterval(sample, fleissKappa, { seed })!
      if (low! <= truth && truth <= high!) covered++
    }
    assert.ok(covered >= 85 && covered <= 100, `${covered}`)
  })

  it('has about the bounds that statsmodels computes from the variance of κ', () => {
    const { first, second, kappa, low, high } = packages.interval
    const pairs = first.map((answer, item): [number, number] => [answer, second[item]])
    const ours = bootstrapInterval(pairs, (some, times) => cohenKappa(some, 'none', [1, 2, 3], times))!
    near(ours.value, kappa)
    near(ours.low!, low, 0.015)
    near(ours.high!, high, 0.015)
  })

  it('is nothing where the packages throw or give NaN', () => {
    assert.equal(packages.none.length, 4)
    const one = [[1, 1], [1, 1]] // prettier-ignore
    assert.equal(
      bootstrapInterval(one, (some) => krippendorffAlpha(some, 'ordinal')()),
      null,
    )
    assert.equal(
      bootstrapInterval([[1], [2]], (some) => krippendorffAlpha(some, 'nominal')()),
      null,
    )
    assert.equal(
      bootstrapInterval(one as [number, number][], (some) => cohenKappa(some)),
      null,
    )
    assert.equal(
      bootstrapInterval([[3, 0], [3, 0]], fleissKappa), // prettier-ignore
      null,
    )
  })

  it('has no bounds where there is too little to tell', () => {
    assert.equal(bootstrapInterval([], fleissKappa), null)
    const few = bootstrapInterval(diagnoses.slice(0, 4), fleissKappa)!
    assert.deepEqual([few.low, few.high, few.n], [null, null, 4])
    const oneSided = [...Array.from({ length: 5 }, () => [2, 0]), [0, 2]]
    const often = bootstrapInterval(oneSided, fleissKappa)!
    assert.deepEqual([often.low, often.high], [null, null])
  })
})
