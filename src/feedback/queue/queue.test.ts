import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { random } from '../../random.ts'
import { categories, type Judgment } from '../../records.ts'
import { imageRecord } from '../feedback-fixtures.test-helper.ts'
import type { QueueImage } from './fresh-order.ts'
import { nextTasks, Queue, type QueueOptions, type QueueState, type QueueTask, type TaskMode } from './queue.ts'
import { rankingConflict } from '../ranking.ts'
import { questionOf, standing, StandingJudgments } from '../raters/standing.ts'

/** So many images of each prompt, one after the other as rounds draw them. */
function imagesOf(perPrompt: readonly number[]): QueueImage[] {
  return perPrompt.flatMap((count, prompt) =>
    Array.from({ length: count }, (_, index) => ({
      ...imageRecord(index, `prompt ${prompt}`),
      category: categories[prompt % 3],
    })),
  )
}

const options: QueueOptions = { mode: 'good-bad', rater: 'ada', count: 1, seed: 1, overlapShare: 0, goldShare: 0 }
const at = '2026-01-01T00:00:00Z'

/** What the page sends for a task, with the answers drawn. */
function answersTo(task: QueueTask, rater: string, stream: ReturnType<typeof random>, skips: number): Judgment[] {
  const { mode, images } = task
  const common = () => ({
    id: `${stream.uniform()}`,
    rater,
    raterKind: 'person' as const,
    at,
    shown: [...images],
  })
  const isSkip = () => stream.uniform() < skips
  if (mode === 'good-bad') {
    return images.map((id) => {
      const answer = isSkip() ? 'skip' : stream.pick(['good', 'bad'] as const)
      return { ...common(), kind: 'good-bad-skip', images: [id], answer }
    })
  }
  if (mode === 'pair') {
    const waiting = [...images]
    let shown = waiting.splice(0, 2)
    const judgments: Judgment[] = []
    while (shown.length === 2) {
      const answer = isSkip() ? 'skip' : stream.pick(['first', 'second', 'tie', 'both-bad'] as const)
      judgments.push({ ...common(), kind: 'pair', images: shown, answer })
      const winner = { first: 0, second: 1 }[answer as string]
      shown = winner === undefined ? waiting.splice(0, 2) : [shown[winner], ...waiting.splice(0, 1)]
    }
    return judgments
  }
  const overall: Record<string, number> = { ...task.rated }
  const ratings = images.flatMap((id): Judgment[] => {
    if (id in task.rated) return []
    if (isSkip()) return [{ ...common(), kind: 'rating', images: [id], answer: 'skip' }]
    overall[id] = stream.integer(1, 7)
    const given = { overall: overall[id], alignment: 4, fidelity: 4 }
    return [{ ...common(), kind: 'rating', images: [id], answer: 'rated', ratings: given }]
  })
  const rated = images.filter((id) => id in overall)
  if (rated.length < 2) return ratings
  return [
    ...ratings,
    { ...common(), kind: 'ranking', images: rated, answer: 'ranked', ranks: rated.map((id) => 8 - overall[id]) },
  ]
}

interface Labelling extends Omit<QueueState, 'judgments'> {
  readonly options?: Partial<QueueOptions>
  readonly raters: readonly string[]
  /** Share of the answers that are skips. */
  readonly skips?: number
  readonly seed?: number
}

/** Raters in a random order answer one task after the other until nobody is asked anything. */
function label({ options: chosen, raters, skips = 0, seed = 0, ...state }: Labelling): {
  judgments: Judgment[]
  tasks: (QueueTask & { rater: string })[]
} {
  const stream = random(99, seed)
  const judgments: Judgment[] = []
  const tasks: (QueueTask & { rater: string })[] = []
  const busy = new Set(raters)
  while (busy.size > 0) {
    const rater = stream.pick([...busy])
    const given = { ...options, ...chosen, rater }
    const { tasks: [task], progress } = nextTasks({ ...state, judgments }, given) // prettier-ignore
    if (task === undefined) {
      busy.delete(rater)
      assert.equal(progress.done, progress.total)
      continue
    }
    assert.ok(progress.done < progress.total)
    tasks.push({ ...task, rater })
    judgments.push(...answersTo(task, rater, stream, skips))
    assert.ok(tasks.length < 1000)
  }
  return { judgments, tasks }
}

const modes: readonly TaskMode[] = ['good-bad', 'pair', 'rating']
const world = fc.record({
  perPrompt: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  raters: fc.constantFrom(['ada'], ['ada', 'bob'], ['ada', 'bob', 'eve', '<script>']),
  skips: fc.constantFrom(0, 0.3),
  mode: fc.constantFrom(...modes),
  overlapShare: fc.constantFrom(0, 0.4, 1),
  goldShare: fc.constantFrom(0, 0.3),
  seed: fc.nat(),
})
/** Every fifth image, where gold is wanted. */
const goldOf = (images: readonly QueueImage[], goldShare: number) =>
  new Map(images.flatMap(({ id }, place) => (goldShare > 0 && place % 5 === 0 ? [[id, 'good' as const]] : [])))

describe('nextTasks', () => {
  it('asks everything, and nobody the same twice', () => {
    fc.assert(
      fc.property(world, ({ perPrompt, raters, skips, mode, overlapShare, goldShare, seed }) => {
        const images = imagesOf(perPrompt)
        const gold = goldOf(images, goldShare)
        const chosen = { mode, overlapShare, goldShare, seed }
        const { judgments, tasks } = label({ images, gold, raters, skips, seed, options: chosen })
        const questions = judgments.map((judgment) => `${judgment.rater} ${questionOf(judgment)}`)
        assert.equal(new Set(questions).size, questions.length)
        assert.equal(standing(judgments).length, judgments.length)

        const textOf = new Map(images.map(({ id, text }) => [id, text]))
        for (const { images: shown, prompt } of tasks) {
          assert.ok(shown.every((id) => textOf.get(id) === prompt))
          assert.equal(new Set(shown).size, shown.length)
          assert.ok(shown.length <= { 'good-bad': 3, pair: 4, rating: 4 }[mode])
          assert.ok(mode !== 'pair' || shown.length >= 2)
        }
        const asked = (image: QueueImage, rater: string) =>
          judgments.some((judgment) => judgment.rater === rater && judgment.images.includes(image.id))
        for (const image of images) {
          const isAlone = mode === 'pair' && images.filter(({ text }) => text === image.text).length < 2
          const isAnswered = judgments.some(
            ({ images: [id, other], answer }) => answer !== 'skip' && [id, other].includes(image.id),
          )
          const isKnown = mode === 'good-bad' && gold.has(image.id)
          assert.ok(isAlone || isAnswered || raters.every((rater) => asked(image, rater)))
          assert.ok(!isKnown || raters.every((rater) => asked(image, rater)))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('asks a second rater about the set share and about nothing else, a third never', () => {
    const images = imagesOf(Array.from({ length: 60 }, () => 5))
    for (const mode of modes) {
      const raters = ['ada', 'bob', 'eve']
      const { judgments } = label({ images, raters, options: { mode, overlapShare: 0.2 } })
      const kind = mode === 'good-bad' ? 'good-bad-skip' : mode
      const times = new Map<string, number>()
      for (const judgment of judgments) {
        if (judgment.kind === kind) times.set(questionOf(judgment), (times.get(questionOf(judgment)) ?? 0) + 1)
      }
      const twice = [...times.values()].filter((count) => count === 2).length
      assert.ok([...times.values()].every((count) => count <= 2))
      assert.ok(Math.abs(twice / times.size - 0.2) < 0.07, `${mode}: ${twice} of ${times.size}`)
    }
  })

  it('mixes second opinions and gold items in at their rates, not at the end', () => {
    const images = imagesOf(Array.from({ length: 100 }, () => 6))
    const gold = new Map(images.slice(0, 100).map(({ id }) => [id, 'bad' as const]))
    const stream = random(5)
    const before = imagesOf(Array.from({ length: 50 }, () => 6)).map(({ id }): Judgment => {
      const common = { id: `${stream.uniform()}`, rater: 'bob', raterKind: 'person', at } as const
      return { ...common, kind: 'good-bad-skip', images: [id], answer: 'good' }
    })
    const { tasks } = nextTasks(
      { images, gold, judgments: before },
      { ...options, count: 80, overlapShare: 0.5, goldShare: 0.1 },
    )
    const known = new Set(before.map(({ images: [id] }) => id))
    const goldTasks = tasks.filter((task) => task.images.some((id) => gold.has(id))).length
    const seconds = tasks.filter((task) => task.images.every((id) => known.has(id) && !gold.has(id))).length
    assert.ok(goldTasks >= 3 && goldTasks <= 16, `${goldTasks}`)
    assert.ok(seconds >= 17 && seconds <= 37, `${seconds}`)
  })

  it('is the same for the same rater and seed, and other for others', () => {
    const images = imagesOf([4, 4, 4, 4, 4, 4, 4, 4])
    for (const mode of modes) {
      const ask = (change: Partial<QueueOptions>) =>
        nextTasks({ images, judgments: [] }, { ...options, mode, count: 6, ...change })
      assert.deepEqual(ask({}), ask({}))
      assert.notDeepEqual(ask({}).tasks, ask({ rater: 'bob' }).tasks)
      assert.notDeepEqual(ask({}).tasks, ask({ seed: 2 }).tasks)
    }
  })

  it('gives nothing twice to a page that asks ahead', () => {
    fc.assert(
      fc.property(world, ({ perPrompt, mode, overlapShare, goldShare, seed }) => {
        const images = imagesOf(perPrompt)
        const state = { images, gold: goldOf(images, goldShare), judgments: [] }
        const chosen = { ...options, mode, overlapShare, goldShare, seed }
        const first = nextTasks(state, { ...chosen, count: 2 })
        const without = new Set(first.tasks.flatMap((task) => task.images))
        const second = nextTasks(state, { ...chosen, count: 50, without })
        const shown = [...first.tasks, ...second.tasks].flatMap((task) => task.images)
        assert.equal(new Set(shown).size, shown.length)
        assert.deepEqual(first.progress, second.progress)
      }),
      { numRuns: 60 },
    )
  })

  it('covers every prompt before it asks about one again, and categories alike', () => {
    for (const mode of modes) {
      const images = imagesOf([9, 9, 9, 9, 9, 9, 9, 9, 9])
      const { tasks } = nextTasks({ images, judgments: [] }, { ...options, mode, count: 9 })
      assert.equal(new Set(tasks.map(({ prompt }) => prompt)).size, 9)
      const categoryOf = new Map(images.map(({ text, category }) => [text, category]))
      for (const start of [0, 3, 6]) {
        const three = tasks.slice(start, start + 3).map(({ prompt }) => categoryOf.get(prompt))
        assert.equal(new Set(three).size, 3)
      }
    }
  })

  it('asks of each new prompt first about the images of which the reward is least certain', () => {
    const images = imagesOf([7, 7, 7])
    const uncertainties = new Map(
      images.map(({ id, text }, place) => [id, text === 'prompt 1' ? 0.5 + place / 100 : 0.1]),
    )
    const { tasks } = nextTasks({ images, uncertainties, judgments: [] }, { ...options, count: 6 })
    // Every prompt has its turn before one is asked about again, however sure the reward is of it.
    for (const round of [tasks.slice(0, 3), tasks.slice(3)]) {
      assert.deepEqual(round.map(({ prompt }) => prompt).sort(), ['prompt 0', 'prompt 1', 'prompt 2']) // prettier-ignore
    }
    const ofOne = tasks.find(({ prompt }) => prompt === 'prompt 1')!
    assert.deepEqual(ofOne.images.toSorted(), images.slice(11, 14).map(({ id }) => id).sort()) // prettier-ignore
  })

  it('takes an image that the reward has not seen for the least certain', () => {
    const images = imagesOf([6])
    const uncertainties = new Map(images.slice(0, 3).map(({ id }) => [id, 9]))
    const { tasks } = nextTasks({ images, uncertainties, judgments: [] }, options)
    assert.deepEqual(tasks[0].images.toSorted(), images.slice(3).map(({ id }) => id).sort()) // prettier-ignore
  })

  it('lets the winner of a pair stay and meet what is new', () => {
    const images = imagesOf([6])
    const ids = images.map(({ id }) => id)
    const pair = { id: '1', rater: 'ada', raterKind: 'person', at, kind: 'pair', images: [ids[4], ids[2]] } as const
    const ask = (judgment: Judgment) =>
      nextTasks({ images, judgments: [judgment] }, { ...options, mode: 'pair', count: 3 }).tasks
    const [task, ...more] = ask({ ...pair, images: [...pair.images], answer: 'second' })
    assert.equal(task.images[0], ids[2])
    assert.equal(task.images.length, 4)
    assert.ok(!task.images.includes(ids[4]))
    assert.deepEqual(more, [])
    const [afterTie] = ask({ ...pair, images: [...pair.images], answer: 'tie' })
    assert.deepEqual(afterTie.images.toSorted(), [ids[0], ids[1], ids[3], ids[5]].sort())
  })

  it('goes on with ratings that were broken off, with the ranking still to come', () => {
    const images = imagesOf([5, 5])
    const rated = images.slice(0, 2).map(({ id }, place): Judgment => {
      const ratings = { overall: 3 + place, alignment: 1, fidelity: 1 }
      return { id, rater: 'ada', raterKind: 'person', at, kind: 'rating', images: [id], answer: 'rated', ratings }
    })
    const [task] = nextTasks({ images, judgments: rated }, { ...options, mode: 'rating' }).tasks
    assert.equal(task.prompt, 'prompt 0')
    assert.equal(task.images.length, 4)
    assert.deepEqual(task.rated, { [images[0].id]: 3, [images[1].id]: 4 })
    const all = nextTasks({ images: images.slice(0, 2), judgments: rated }, { ...options, mode: 'rating', count: 3 })
    assert.equal(all.tasks.length, 1)
    assert.deepEqual(all.progress, { done: 2, total: 3 })
    const isHeld = { ...options, mode: 'rating', without: new Set([images[0].id]) } as const
    assert.deepEqual(nextTasks({ images: images.slice(0, 2), judgments: rated }, isHeld).tasks, [])
  })

  it('shows images in every order alike', () => {
    const images = imagesOf(Array.from({ length: 300 }, () => 3))
    const placeOf = new Map(images.map(({ id }, place) => [id, place % 3]))
    const { tasks } = nextTasks({ images, judgments: [] }, { ...options, count: 300 })
    const firsts = tasks.map((task) => placeOf.get(task.images[0]))
    for (const place of [0, 1, 2]) {
      const share = firsts.filter((first) => first === place).length / tasks.length
      assert.ok(Math.abs(share - 1 / 3) < 0.1, `${share}`)
    }
  })
})

describe('Queue', () => {
  it('knows after any history what it would know from the judgments that stand', () => {
    const history = fc.record({
      world,
      isMeasured: fc.boolean(),
      steps: fc.array(fc.record({ step: fc.constantFrom('answer', 'undo', 'change'), choice: fc.nat() }), {
        minLength: 5,
        maxLength: 30,
      }),
    })
    fc.assert(
      fc.property(history, ({ world: { perPrompt, raters, skips, mode, ...shares }, isMeasured, steps }) => {
        const images = imagesOf(perPrompt)
        const uncertainties = new Map(images.slice(1).map(({ id }, place) => [id, (place * 7) % 5]))
        const gold = goldOf(images, shares.goldShare)
        const basis = { images, gold, ...(isMeasured && { uncertainties }), ...shares }
        const queue = new Queue(basis)
        const judgments = new StandingJudgments()
        const rows: Judgment[] = []
        let followed = 0
        const add = (row: Judgment) => {
          rows.push(row)
          judgments.add(row)
          for (; followed < judgments.changes.length; followed++) queue.change(judgments.changes[followed])
        }
        for (const [place, { step, choice }] of steps.entries()) {
          const stream = random(choice, place)
          const rater = stream.pick(raters)
          const request = { mode, rater, count: 3, goldShare: shares.goldShare }
          const [task] = queue.next(request).tasks
          if (step === 'answer' && task !== undefined) {
            const answers = answersTo(task, rater, stream, skips)
            // some tasks are broken off
            for (const row of answers.slice(0, stream.integer(1, answers.length))) add(row)
          } else if (rows.length > 0) {
            const row = stream.pick(rows)
            if (step === 'undo') add({ ...row, id: `${place}`, undoes: row.id })
            else if (row.undoes === undefined) add({ ...row, id: `${place}`, at: '2026-01-01T00:00:01Z' })
          }
          const without = new Set(stream.uniform() < 0.3 ? task?.images : [])
          for (const asker of raters) {
            for (const asked of modes) {
              const given = { ...request, mode: asked, rater: asker, without }
              const expected = nextTasks({ ...basis, judgments: judgments.all() }, { ...basis, ...given })
              assert.deepEqual(queue.next(given), expected)
            }
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('rankingConflict', () => {
  it('finds a better rank of what was rated lower, or an equal one', () => {
    assert.deepEqual(rankingConflict([1, 2, 3], [7, 5, 6]), [2, 1])
    assert.deepEqual(rankingConflict([1, 1], [3, 4]), [1, 0])
    assert.equal(rankingConflict([1, 2, 3, 3], [6, 6, 5, 5]), undefined)
    assert.equal(rankingConflict([2, 1], [6, undefined]), undefined)
  })
})
