/** What a way of asking sees: the present task with its state, and the answers that were given. */
import type { NewJudgment, Progress, Task } from '../../../src/studio/schemas/labelling.ts'
import type { ImageMarks } from './marks.ts'

/** A judgment without what is the same for all: id, time, duration. */
export type Answer = NewJudgment extends infer J
  ? J extends NewJudgment
    ? Omit<J, 'id' | 'at' | 'durationMs'>
    : never
  : never

/** An answer that was given, and its images. */
export interface GivenAnswer {
  readonly task: Task
  readonly judgment: NewJudgment
}

export interface Turn<S> {
  readonly task: Task
  readonly state: S
  /** Changes what is on the screen without answering. */
  readonly change: (state: S) => void
  /** Gives an answer; `next` is the task's state after it, undefined where the task is finished. */
  readonly answer: (answer: Answer, next: S | undefined, options?: AnswerOptions) => void
}

export interface AnswerOptions {
  /** Things done by it. */
  readonly counts?: number
  /** Answers of one group are given at once. */
  readonly group?: string
}

export interface Session<S> {
  readonly turn: Turn<S> | undefined
  /** The answer just given, several where they were given at once; none any more after the next one, or once taken back. */
  readonly justGiven: readonly GivenAnswer[]
  /** Says why, of the answer just given. */
  readonly explain: (reasons: readonly string[]) => void
  readonly isDone: boolean
  readonly error: unknown
  readonly progress: Progress | undefined
  /** Answers given since the page was opened. */
  readonly given: number
  readonly canUndo: boolean
  readonly undo: () => void
  readonly reload: () => void
  /** What is marked of an image of the present task, and will be said with its answer. */
  readonly marksOf: (image: string) => ImageMarks
  readonly mark: (image: string, marks: ImageMarks) => void
}
