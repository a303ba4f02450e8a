/**
 * The way through the tasks of one mode: the state of the present task, its answers, and the way back. A mode only says
 * how a task begins and what follows an answer.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { NewJudgment, Task, TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { timeNow } from '../../clock.ts'
import { newId } from '../../new-id.ts'
import { outbox, postJudgment } from '../../outbox.ts'
import { pastOf, type Given } from '../../past.ts'
import { useBuffer } from './buffer.ts'
import { marksIn, noMarks, saidOf, type ImageMarks, type Marks } from './marks.ts'
import { withServersAnswers } from './own-answers.ts'
import { useStopwatch } from './stopwatch.ts'
import type { Answer, AnswerOptions, Session } from './turn.ts'

/** An answer of another mode that was taken back: it is asked there. */
let returned: Given | undefined

interface SessionOptions<S> {
  readonly mode: TaskMode
  /** Who answers. */
  readonly rater: string
  /** The state of a task that nobody has touched. */
  readonly begin: (task: Task) => S
  /** Shows another mode. */
  readonly open: (mode: TaskMode) => void
}

export function useSession<S>({ mode, rater, begin, open }: SessionOptions<S>): Session<S> {
  const past = pastOf(`labels.${rater}`)
  const list = useSyncExternalStore(
    useMemo(() => (listener: () => void) => past.subscribe(listener), [past]),
    () => past.all(),
  )
  const [first] = useState(() => (returned?.place === mode ? returned : undefined))
  const buffer = useBuffer<Task>(
    {
      ask: (without, count) => client.tasks({ mode, count, without: without.join(',') }),
      imagesOf: ({ images }) => images,
      keysOf: ({ images }) => images.map(({ id }) => id),
      underWay: () => outbox.imagesUnderWay(),
      uncounted: () => outbox.thingsUnderWay([kindOf[mode]]),
      send: () => outbox.send(),
    },
    first?.task as Task | undefined,
  )
  const [held, setHeld] = useState(() => first as { task: Task; state: S } | undefined)
  const [given, setGiven] = useState(0)
  /** Of the answers just given. */
  const [group, setGroup] = useState(() => groupOf(first === undefined ? past.last() : undefined))
  const watch = useStopwatch()
  const task = buffer.current
  const state = task === undefined ? undefined : held?.task === task ? held.state : begin(task)
  // Two keys in one frame must not answer one state twice.
  const live = useRef({ task, state })
  useLayoutEffect(() => {
    live.current = { task, state }
  })
  // Marks are those of the images of one task; they hold as long as it is on the screen.
  const [marked, setMarked] = useState<Marked>(() => markedOf(first))
  const liveMarks = useRef(marked)
  const mark = (next: Marked) => {
    liveMarks.current = next
    setMarked(next)
  }
  const marksOf = (id: string | undefined): Marks =>
    liveMarks.current.task === id ? liveMarks.current.marks : new Map<string, ImageMarks>()
  useEffect(() => watch.restart(), [watch, task])
  useEffect(() => {
    returned = undefined
    void withServersAnswers(past)
  }, [past])

  const just = group === undefined ? [] : list.filter((one) => one.place === mode && one.group === group)
  const change = (next: S) => {
    if (live.current.task === undefined) return
    live.current.state = next
    setHeld({ task: live.current.task, state: next })
  }
  const answer = (body: Answer, next: S | undefined, { counts = 1, group: of }: AnswerOptions = {}) => {
    const { task: asked, state: before } = live.current
    if (asked === undefined || before === undefined) return
    const id = newId()
    // A ranking comes after ratings, which said it already.
    const marks = body.kind === 'ranking' ? {} : saidOf(marksOf(asked.id), body.images)
    const judgment = { ...body, ...marks, id, at: timeNow(), durationMs: watch.read() } as NewJudgment
    const entry = { place: mode, task: asked, state: before, answer: judgment, counts, group: of ?? id }
    past.add(entry)
    postJudgment(judgment)
    watch.restart()
    setGroup(entry.group)
    setGiven((count) => count + 1)
    buffer.count(counts)
    if (next !== undefined) return change(next)
    live.current = { task: undefined, state: undefined }
    buffer.next()
  }
  const explain = (reasons: readonly string[]) => {
    for (const { answer: earlier } of just) {
      const { id, reasons: _earlier, ...body } = earlier as NewJudgment
      const judgment = {
        ...body,
        id: newId(),
        at: timeNow(),
        ...(reasons.length > 0 && { reasons: [...reasons] }),
      } as NewJudgment
      past.amend(id, judgment)
      // First the new answer: there is no moment without one.
      postJudgment(judgment)
      takeBack(earlier as NewJudgment)
    }
  }
  const undo = () => {
    const last = past.take()
    if (last === undefined) return
    setGroup(undefined)
    takeBack(last.answer as NewJudgment)
    if (last.place !== mode) {
      returned = last
      return open(last.place as TaskMode)
    }
    const back = { task: last.task as Task, state: last.state as S }
    setGiven((count) => Math.max(0, count - 1))
    buffer.count(-last.counts)
    // What was read from the store is another object of the same task.
    mark({ task: back.task.id, marks: new Map([...marksOf(back.task.id), ...markedOf(last).marks]) })
    if (live.current.task?.id === back.task.id) back.task = live.current.task
    else buffer.putBack(back.task)
    live.current = back
    setHeld(back)
  }
  return {
    turn: task === undefined || state === undefined ? undefined : { task, state, change, answer },
    justGiven: just.map((one) => ({ task: one.task as Task, judgment: one.answer as NewJudgment })),
    explain,
    isDone: buffer.isDone,
    error: buffer.error,
    progress: buffer.progress,
    given,
    canUndo: list.length > 0,
    undo,
    reload: buffer.reload,
    marksOf: (image) => (marked.task === task?.id ? marked.marks.get(image) : undefined) ?? noMarks,
    mark: (image, marks) => {
      const id = live.current.task?.id
      if (id !== undefined) mark({ task: id, marks: new Map([...marksOf(id), [image, marks]]) })
    },
  }
}

/** Marks, and of which task. */
interface Marked {
  readonly task: string | undefined
  readonly marks: Marks
}

const markedOf = (given: Given | undefined): Marked =>
  given === undefined
    ? { task: undefined, marks: new Map() }
    : { task: (given.task as Task).id, marks: marksIn(given.answer as NewJudgment) }

/** The answers that are counted; a ranking is no thing of its own. */
const kindOf = { 'good-bad': 'good-bad-skip', pair: 'pair', rating: 'rating' } as const

const groupOf = (last: Given | undefined): string | undefined =>
  last === undefined || last.isOld === true ? undefined : last.group

const takeBack = (judgment: NewJudgment): void =>
  postJudgment({ ...judgment, id: newId(), at: timeNow(), undoes: judgment.id } as NewJudgment)
