/** Export, import, export again: not a byte is another, whatever the texts are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Judgment } from '../../records.ts'
import { awkwardTexts, imageRecord } from '../feedback-fixtures.test-helper.ts'
import { openFeedback } from '../store/store.ts'
import { exportFeedback, importFeedback } from '../transfer.ts'
import { workspace } from './formats.test-helper.ts'
import { formats } from './formats.ts'

const hostile = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  "'=1",
  "''",
  '"',
  '""',
  '"quoted"',
  '[1,2]',
  '["a"]',
  '[',
  '{}',
  'null',
  'true',
  'undefined',
  '0',
  '1e3',
  ' lead',
  'trail ',
  '\tlead',
  'trail\t',
  'a\nb',
  'a\rb',
  'a\r\nb',
  '\n',
  '\r',
  ' ',
  '\u00a0',
  '\uFEFF',
  '\uFEFFa',
  'a\uFEFF',
  '\u2028',
  '\u0085',
  '\u0001',
  '\u200f',
  'שלום',
  '\u202Eabc',
  '👩‍👩‍👧',
  '＝1',
  ',',
  ';',
  'a,b',
  '\\',
  '\\"',
  '",\n"',
  '__proto__',
  'x'.repeat(5000),
] as const
const text = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc
    .array(fc.constantFrom('"', "'", '=', ',', ';', '\n', '\r', '\t', ' ', '[', ']', 'a', '\\', '\uFEFF'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((signs) => signs.join('')),
)
const name = text.filter((one) => !one.includes('\0') && one.isWellFormed())
const short = name.map((one) => [...one].slice(0, 20).join('')).filter((one) => one.length <= 60)

const images = awkwardTexts.map((prompt, index) => imageRecord(index, prompt))
const ids = images.map(({ id }) => id)
const some = (count: number) => fc.shuffledSubarray(ids, { minLength: count, maxLength: count })
const optional = <T>(given: fc.Arbitrary<T>) => fc.option(given, { nil: undefined })
const rating = fc.integer({ min: 1, max: 7 })
const shared = {
  rater: name,
  raterKind: fc.constantFrom('person', 'simulated'),
  at: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456789Z', '0001-01-01T00:00:00Z'),
  durationMs: optional(fc.oneof(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.nat())),
  reasons: optional(fc.array(short, { maxLength: 3 })),
  shown: optional(fc.array(name, { maxLength: 3 })),
}
/** Of judgments about so many images; the prompts are of one word at least. */
const marksOf = (count: number) => ({
  regions: optional(
    fc.array(
      fc.record({
        image: fc.nat(count - 1),
        kind: fc.constantFrom('implausible', 'misaligned'),
        x: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs),
        y: fc.constantFrom(0, 0.5, 1),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  ),
  misread: optional(fc.constant([{ image: count - 1, word: 0 }])),
})
const judgment = fc.oneof(
  fc.record({
    ...shared,
    ...marksOf(1),
    kind: fc.constant('good-bad-skip'),
    images: some(1),
    answer: fc.constantFrom('good', 'bad', 'skip'),
  }),
  fc.record({
    ...shared,
    ...marksOf(2),
    kind: fc.constant('pair'),
    images: some(2),
    answer: fc.constantFrom('first', 'second', 'tie', 'both-bad', 'skip'),
  }),
  fc.record({
    ...shared,
    ...marksOf(1),
    kind: fc.constant('rating'),
    images: some(1),
    answer: fc.constant('rated'),
    ratings: fc.record({ overall: rating, alignment: rating, fidelity: rating }),
  }),
  fc.record({
    ...shared,
    ...marksOf(3),
    kind: fc.constant('ranking'),
    images: some(3),
    answer: fc.constant('ranked'),
    ranks: fc.array(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { minLength: 3, maxLength: 3 }),
  }),
  fc.record({
    ...shared,
    kind: fc.constant('vote'),
    images: some(2),
    answer: fc.constantFrom('first', 'second', 'tie', 'skip'),
    policies: fc.array(fc.oneof(name, fc.constant('')), { minLength: 2, maxLength: 2 }),
    question: fc.constantFrom('alignment', 'fidelity'),
  }),
)
const rows = fc
  .uniqueArray(fc.tuple(name, judgment, fc.boolean()), { maxLength: 30, selector: ([id]) => id })
  .map((drawn) =>
    drawn.map(([id, { ...said }, isUndone], place): Judgment => {
      const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
      const undoes = isUndone && place > 0 ? { undoes: drawn[place - 1][0] } : {}
      return { id, ...known, ...undoes } as Judgment
    }),
  )

async function withStore<T>(
  file: string,
  use: (store: Awaited<ReturnType<typeof openFeedback>>) => Promise<T>,
): Promise<T> {
  await using store = await openFeedback(file)
  await store.addImages(images, '.')
  return await use(store)
}

describe('export, import and export again', () => {
  for (const ending of ['csv', 'jsonl']) {
    it(`.${ending}: every row, to the byte`, async () => {
      await using place = await workspace()
      let stores = 0
      const [first, second] = [place.at(`first.${ending}`), place.at(`second.${ending}`)]
      await fc.assert(
        fc.asyncProperty(rows, fc.boolean(), async (judgments, names) => {
          const before = await withStore(place.at(`${stores++}.sqlite`), async (store) => {
            await store.addJudgments(judgments)
            await exportFeedback(store, first, { names })
            return await store.allRows()
          })
          const after = await withStore(place.at(`${stores++}.sqlite`), async (store) => {
            await importFeedback(store, first)
            await exportFeedback(store, second, { names: true })
            return await store.allRows()
          })
          if (names) assert.deepEqual(after, before)
          assert.equal(readFileSync(second, 'utf8'), readFileSync(first, 'utf8'))
        }),
        { numRuns: 20 },
      )
    })
  }

  for (const format of ['pick-a-pic', 'image-reward'] as const) {
    it(`${format}: all of the standing pairs and rankings`, async () => {
      await using place = await workspace(Array<string>(6).fill('a cat'))
      const own = new Map(ids.map((id, i) => [id, place.images[i].id]))
      await place.store.addJudgments(
        fc
          .sample(rows, 12)
          .flat()
          .flatMap((one, i): Judgment[] => {
            const { undoes: _undoes, ...rest } = one
            return [{ ...rest, id: `${i} ${one.id}`, images: one.images.map((id) => own.get(id)!) }]
          }),
      )
      const isCarried = ({ kind, answer }: Judgment) => formats[format].kinds.includes(kind) && answer !== 'skip'
      const first = place.at(`first${formats[format].ending}`)
      await exportFeedback(place.store, first, { format, names: true })
      await using other = await workspace()
      const counts = await importFeedback(other.store, first, { format, folder: other.at('new') })
      assert.deepEqual(counts.leftOut, [])
      const said = (judgments: readonly Judgment[]) => judgments.map(({ images: _images, ...rest }) => rest)
      assert.deepEqual(said(await other.store.judgments()), said((await place.store.judgments()).filter(isCarried)))
      const back = await importFeedback(place.store, first, { format, folder: place.at('back') })
      assert.deepEqual([back.added, back.images, back.leftOut], [0, 0, []])
    })
  }
})
