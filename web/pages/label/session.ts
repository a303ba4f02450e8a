/**
 * The way through the tasks of one mode: the state of the present task, its answers, and the way back. A mode only says
 * how a task begins and what follows an answer.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { NewJudgment, Progress, Task, TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { imagesUnderWay, postJudgment } from '../../outbox.ts'
import { useBuffer } from './buffer.ts'
import { useStopwatch } from './stopwatch.ts'

/** A judgment without what is the same for all: id, time, duration. */
export type Answer = NewJudgment extends infer J
  ? J extends NewJudgment
    ? Omit<J, 'id' | 'at' | 'durationMs'>
    : never
  : never

export interface Turn<S> {
  readonly task: Task
  readonly state: S
  /** Changes what is on the screen without answering. */
  readonly change: (state: S) => void
  /** Gives an answer; `next` is the task's state after it, undefined where the task is finished. `counts`: things done by it. */
  readonly answer: (answer: Answer, next: S | undefined, counts?: number) => void
}

interface Past<S> {
  readonly task: Task
  readonly state: S
  readonly judgment: NewJudgment
  readonly counts: number
}

export interface Session<S> {
  readonly turn: Turn<S> | undefined
  readonly isDone: boolean
  readonly error: unknown
  readonly progress: Progress | undefined
  /** Answers given since the page was opened. */
  readonly given: number
  readonly canUndo: boolean
  readonly undo: () => void
  readonly reload: () => void
}

const longestPast = 200

/** @param begin the state of a task that nobody has touched */
export function useSession<S>(mode: TaskMode, begin: (task: Task) => S): Session<S> {
  const buffer = useBuffer<Task>({
    ask: (without, count) => client.tasks({ mode, count, without: without.join(',') }),
    imagesOf: ({ images }) => images,
    keysOf: ({ images }) => images.map(({ id }) => id),
    underWay: imagesUnderWay,
  })
  const [held, setHeld] = useState<{ task: Task; state: S }>()
  const [past, setPast] = useState<readonly Past<S>[]>([])
  const [given, setGiven] = useState(0)
  const watch = useStopwatch()
  const task = buffer.current
  const state = task === undefined ? undefined : held?.task === task ? held.state : begin(task)
  // Two keys in one frame must not answer one state twice.
  const live = useRef({ task, state })
  useLayoutEffect(() => {
    live.current = { task, state }
  })
  useEffect(() => watch.restart(), [watch, task])

  const change = (next: S) => {
    if (live.current.task === undefined) return
    live.current.state = next
    setHeld({ task: live.current.task, state: next })
  }
  const answer = (body: Answer, next: S | undefined, counts = 1) => {
    const { task: asked, state: before } = live.current
    if (asked === undefined || before === undefined) return
    const judgment = {
      ...body,
      id: crypto.randomUUID(),
      at: new Date().toISOString(),
      durationMs: watch.read(),
    } as NewJudgment
    postJudgment(judgment)
    watch.restart()
    setPast((list) => [...list, { task: asked, state: before, judgment, counts }].slice(-longestPast))
    setGiven((count) => count + 1)
    buffer.count(counts)
    if (next !== undefined) return change(next)
    live.current = { task: undefined, state: undefined }
    buffer.next()
  }
  const undo = () => {
    const last = past.at(-1)
    if (last === undefined) return
    setPast(past.slice(0, -1))
    setGiven((count) => count - 1)
    buffer.count(-last.counts)
    postJudgment({
      ...last.judgment,
      id: crypto.randomUUID(),
      at: new Date().toISOString(),
      undoes: last.judgment.id,
    } as NewJudgment)
    if (last.task !== buffer.current) buffer.putBack(last.task)
    live.current = { task: last.task, state: last.state }
    setHeld({ task: last.task, state: last.state })
  }
  return {
    turn: task === undefined || state === undefined ? undefined : { task, state, change, answer },
    isDone: buffer.isDone,
    error: buffer.error,
    progress: buffer.progress,
    given,
    canUndo: past.length > 0,
    undo,
    reload: buffer.reload,
  }
}
