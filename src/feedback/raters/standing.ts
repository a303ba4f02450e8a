/** Which of the recorded judgments count. */
import { getOrAdd } from '../../get-or-add.ts'
import type { Judgment } from '../../records.ts'
import { SortedList } from '../queue/sorted-list.ts'

/**
 * What a judgment answers: the way of asking and the images, whatever order they were shown in, and of a vote the
 * property asked for. Equal texts are one question.
 */
export function questionOf(judgment: Judgment): string {
  const { kind, images } = judgment
  const asked = kind === 'vote' ? judgment.question : ''
  return images.length === 1 ? `${kind} ${images[0]}` : `${kind} ${asked} ${images.toSorted().join(' ')}`
}

/** The judgments that stand, out of all rows in order of arrival: see `StandingJudgments`. */
export function standing(rows: readonly Judgment[]): readonly Judgment[] {
  const judgments = new StandingJudgments()
  for (const row of rows) judgments.add(row)
  return judgments.all()
}

/** A judgment came to stand, or no longer does. */
export interface StandingChange {
  readonly judgment: Judgment
  /** In order of arrival. */
  readonly place: number
  readonly stands: boolean
}

/** What one rater was asked. */
interface Question {
  /** The answer that arrived last. */
  newest: Entry | undefined
  standing: Entry | undefined
}

/** A row, and how many rows that are in force take it back. */
interface Entry {
  readonly row: Judgment
  /** In order of arrival. */
  readonly place: number
  /** None of a row that takes another one back. */
  readonly question: Question | undefined
  /** The answer to the same question that arrived before. */
  readonly earlier: Entry | undefined
  undone: number
}

/**
 * Rows go in in their order of arrival; the judgments that stand come out. A row with `undoes` takes an earlier row back
 * and is no judgment itself (taking that row back restores the earlier one). Of what is left, the latest of each rater
 * about the same question counts, whatever times they state: clocks are set wrong, and files hold what they hold.
 */
export class StandingJudgments {
  readonly #entries = new Map<string, Entry>()
  readonly #questions = new Map<string, Question>()
  readonly #inOrder = new SortedList<Entry>((a, b) => a.place - b.place)
  readonly #changes: StandingChange[] = []
  #all: readonly Judgment[] | undefined

  add(row: Judgment): void {
    const question = row.undoes === undefined ? this.#questionOf(row) : undefined
    const entry: Entry = { row, place: this.#entries.size, question, earlier: question?.newest, undone: 0 }
    this.#entries.set(row.id, entry)
    if (row.undoes !== undefined) return this.#undo(row.undoes, 1)
    question!.newest = entry
    this.#settle(question!)
  }

  /** A row that was added, whether it stands or not. */
  row(id: string): Judgment | undefined {
    return this.#entries.get(id)?.row
  }

  /** In their order of arrival; the same list until one changes. */
  all(): readonly Judgment[] {
    this.#all ??= this.#inOrder.items.map(({ row }) => row)
    return this.#all
  }

  /** One after the other, as rows made them; the list grows. Who has followed them all knows what stands. */
  get changes(): readonly StandingChange[] {
    return this.#changes
  }

  #undo(id: string, change: 1 | -1): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    const wasUndone = entry.undone > 0
    entry.undone += change
    if (wasUndone === entry.undone > 0) return
    if (entry.question !== undefined) this.#settle(entry.question)
    else this.#undo(entry.row.undoes!, change === 1 ? -1 : 1)
  }

  #questionOf(row: Judgment): Question {
    return getOrAdd(this.#questions, `${row.rater}\0${questionOf(row)}`, () => ({
      newest: undefined,
      standing: undefined,
    }))
  }

  #settle(question: Question): void {
    let best = question.newest
    while (best !== undefined && best.undone > 0) best = best.earlier
    const before = question.standing
    if (best === before) return
    question.standing = best
    this.#all = undefined
    if (before !== undefined) {
      this.#inOrder.remove(before)
      this.#changes.push({ judgment: before.row, place: before.place, stands: false })
    }
    if (best === undefined) return
    this.#inOrder.add(best)
    this.#changes.push({ judgment: best.row, place: best.place, stands: true })
  }
}
