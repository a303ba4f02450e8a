/** Questions that a rater is asked once more, since an admin doubts the answer. */
import { z } from 'zod'
import { settledKinds, type SettledKind } from '../agreement/disagreed-labels.ts'
import { questionOf, type StandingChange } from '../raters/standing.ts'
import type { Judgment } from '../../records.ts'
import { chunks } from '../store/chunks.ts'
import type { FeedbackDatabase } from '../store/database.ts'

export interface AskedAgain {
  readonly rater: string
  /** `questionOf` the judgment. */
  readonly question: string
  readonly kind: SettledKind
  readonly images: readonly string[]
  /** Id of the answer that is doubted: as long as it stands, the question is open. */
  readonly judgment: string
  readonly askedBy: string
  /** ISO 8601, UTC. */
  readonly askedAt: string
}

const Images = z.array(z.string())
const Kind = z.enum(settledKinds)

/** In the order in which they were asked for. */
export async function readAskedAgain(database: FeedbackDatabase): Promise<AskedAgain[]> {
  const rows = await database.selectFrom('asked_again').selectAll().orderBy('asked_at').orderBy('question').execute()
  return rows.map(({ rater, question, kind, images, judgment, asked_by, asked_at }) => ({
    rater,
    question,
    kind: Kind.parse(kind),
    images: Images.parse(JSON.parse(images)),
    judgment,
    askedBy: asked_by,
    askedAt: asked_at,
  }))
}

/** Only what the queue asks can be asked again: a ranking comes with ratings. */
export const canAskAgain = ({ kind }: Judgment): boolean => settledKinds.some((one) => one === kind)

export async function askAgain(
  database: FeedbackDatabase,
  judgments: readonly Judgment[],
  { by, at }: { readonly by: string; readonly at: string },
): Promise<void> {
  const rows = judgments.map((judgment) => ({
    rater: judgment.rater,
    question: questionOf(judgment),
    kind: judgment.kind,
    images: JSON.stringify(judgment.images),
    judgment: judgment.id,
    asked_by: by,
    asked_at: at,
  }))
  await database.transaction().execute(async (transaction) => {
    for (const chunk of chunks(rows)) {
      await transaction
        .insertInto('asked_again')
        .values(chunk)
        .onConflict((conflict) =>
          conflict.columns(['rater', 'question']).doUpdateSet((row) => ({
            judgment: row.ref('excluded.judgment'),
            asked_by: row.ref('excluded.asked_by'),
            asked_at: row.ref('excluded.asked_at'),
          })),
        )
        .execute()
    }
  })
}

/** Which of them are still open, kept up to date with every judgment. */
export class AgainBook {
  #asked: readonly AskedAgain[] = []
  #key = '[]'
  /** Of each question that is asked again of a rater: the id of the answer that stands. */
  #standing = new Map<string, string | undefined>()
  #followed = 0

  /** @param changes how the judgments that stand came to, a list that grows */
  follow(asked: readonly AskedAgain[], changes: readonly StandingChange[]): void {
    const key = JSON.stringify(asked.map(({ rater, question, judgment }) => [rater, question, judgment]))
    if (key !== this.#key) {
      this.#key = key
      this.#asked = asked
      this.#standing = new Map(asked.map((one) => [keyOf(one.rater, one.question), undefined]))
      this.#followed = 0
    }
    if (asked.length === 0) return
    for (; this.#followed < changes.length; this.#followed++) {
      const { judgment, stands } = changes[this.#followed]
      const at = keyOf(judgment.rater, questionOf(judgment))
      if (this.#standing.has(at)) this.#standing.set(at, stands ? judgment.id : undefined)
    }
  }

  openFor(rater: string, kind: SettledKind): AskedAgain[] {
    return this.#asked.filter((one) => one.rater === rater && one.kind === kind && this.isOpen(one))
  }

  isOpen({ rater, question, judgment }: AskedAgain): boolean {
    return this.#standing.get(keyOf(rater, question)) === judgment
  }
}

const keyOf = (rater: string, question: string) => `${rater}\0${question}`
