/** Judgments of other tools on their way into the store, with the images that they are about. */
import { FormatError, type Complaint } from '../../errors.ts'
import type { ProgressStream } from '../../progress.ts'
import { Judgment } from '../../records.ts'
import { identified, type Unidentified } from '../store/content-ids.ts'
import type { ImagesOfFolder } from '../store/image-writes.ts'
import { complaintOf } from '../issue-complaint.ts'
import { contentOf } from '../store/judgment-writes.ts'
import { expectNotAhead } from '../store/judgment-times.ts'
import type { StoredImage } from '../store/known-rows.ts'
import type { FeedbackStore } from '../store/store.ts'
import { addJudgedImages, promptFault, type OwnImage } from './own-images.ts'
import type { ContentId, Provenance } from './provenance.ts'
import { keyed } from './restored.ts'

/** What a file of another tool holds. */
export interface ForeignRecords {
  /** By the keys under which `judgments` name them, in the order in which they are best read. */
  readonly images: ReadonlyMap<string, OwnImage>
  readonly judgments: readonly ForeignJudgment[]
  /** What the file calls prompts. */
  readonly promptName: string
  /** Rows without an answer. */
  readonly unanswered: number
  /** What else of the file is no judgment, and why: a line each. */
  readonly leftOut?: readonly string[]
}

/** The key of an image that a file names: one picture of two prompts is two images. */
export const imageKey = (text: string, image: string): string => JSON.stringify([text, image])

/** Its images are keys. One without a `source` has an id of its own, since Attune wrote it. */
export interface ForeignJudgment extends Unidentified {
  /** File and row. */
  readonly where: string
  /** How many rows say it, where that is more than one. */
  readonly rows?: number
}

/**
 * Writes a file, whole or not at all.
 *
 * @param judgments those that stand; of them, those that the format has a place for are written
 * @param stderr    hears how far it is
 * @returns how many rows, and what lies beside the file
 * @throws {FileError} the file cannot be written
 */
export type WriteForeign = (
  file: string,
  judgments: readonly Judgment[],
  imageOf: (id: string) => StoredImage,
  provenance: Provenance,
  stderr: ProgressStream,
) => Promise<Written>

interface Written {
  readonly rows: number
  readonly beside: readonly string[]
}

export interface ForeignCounts {
  readonly added: number
  readonly known: number
  readonly unanswered: number
  /** New ones. */
  readonly images: number
  /** Images that cannot be read, and judgments about them: a line each. */
  readonly leftOut: readonly string[]
}

export interface ForeignTarget {
  readonly store: FeedbackStore
  /** Run to write for new images; it is not there where none is new, or where no judgment is kept. */
  readonly folder: string
  /** Images that become known with what the file brings. */
  readonly drawn: readonly ImagesOfFolder[]
  readonly idOf: ContentId
  /** The rater behind a pseudonym. */
  readonly raterOf: (name: string) => string
}

/**
 * Adds the images that are new, copied into a run folder, and all judgments whose images could be read: all of it, or
 * nothing.
 *
 * @throws {FormatError} names file and row of a judgment that makes no sense; nothing is added
 * @throws {RunInUseError | FileError} the folder is in use or cannot be written; nothing is added
 */
export async function addForeign(
  { store, folder, drawn, idOf, raterOf }: ForeignTarget,
  { images, judgments, promptName, unanswered, leftOut: others = [] }: ForeignRecords,
): Promise<ForeignCounts> {
  const leftOut = [...others]
  const prompted = judgments.filter((one) => {
    const fault = promptFault(images.get(one.judgment.images[0])?.text ?? '')
    if (fault !== undefined) leftOut.push(`${one.where} ${promptName}: ${reasonOf(fault)}`)
    else if (areDistinct(one.judgment.images)) expectJudgment(one)
    return fault === undefined
  })

  const brought = [...images].filter(([, { text }]) => promptFault(text) === undefined)
  const rows = new Map((await store.allRows()).map((row) => [row.id, row]))
  let kept: Judgment[] = []
  let moreRows = 0

  function judgmentsOf(ids: readonly (string | undefined)[]): Judgment[] {
    const idOfKey = new Map(brought.map(([key], i) => [key, ids[i]]))
    const found = prompted.flatMap(({ where, judgment, source, rows: count = 1 }): Unidentified[] => {
      const ours = judgment.images.map((key) => idOfKey.get(key))
      const lost = judgment.images[ours.indexOf(undefined)]
      const reason = ours.includes(undefined)
        ? `its image ${images.get(lost)?.name ?? lost} cannot be read`
        : areDistinct(ours)
          ? undefined
          : 'two of its images are the same'
      if (reason !== undefined) {
        leftOut.push(`${where}: ${reason}`)
        return []
      }
      const own = keyed({ ...judgment, rater: raterOf(judgment.rater) }, (key) => idOfKey.get(key) ?? key)
      if (source !== undefined) return [{ judgment: own, source }]
      // The same id for something else: a file that was changed, or whose pictures were.
      const row = rows.get(own.id)
      if (row !== undefined && contentOf(row) !== contentOf(own)) return [{ judgment: own, source: [own.id, own.at] }]
      if (row !== undefined) moreRows += count - 1
      rows.set(own.id, own)
      return [{ judgment: own }]
    })
    return (kept = identified(found, idOf))
  }

  const pictures = brought.map(([, image]) => image)
  const added = await addJudgedImages(store, folder, pictures, drawn, judgmentsOf)
  return {
    added: added.judgments,
    known: kept.length - added.judgments + moreRows,
    unanswered,
    images: added.added,
    leftOut: [...added.broken.map(({ file, reason }) => `${file}: ${reason}`), ...leftOut],
  }
}

const areDistinct = (images: readonly unknown[]) => new Set(images).size === images.length

const reasonOf = ({ expected, received, remedy }: Pick<Complaint, 'expected' | 'received' | 'remedy'>) =>
  `expected ${expected}, received ${received} — ${remedy}`

function expectJudgment({ where, judgment, source }: ForeignJudgment): void {
  const given = source === undefined ? judgment : { ...judgment, id: 'not yet' }
  const parsed = Judgment.safeParse(given)
  if (parsed.success) return expectNotAhead(judgment.at, `${where} time`)
  const [issue] = parsed.error.issues
  const { expected, received } = complaintOf(issue, given)
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: `a judgment with ${expected}`,
    received,
    remedy: 'correct the row, or leave it out',
    cause: parsed.error,
  })
}
