/** Judgments of other tools on their way into the store, with the images that they are about. */
import { FormatError } from '../../errors.ts'
import { Judgment } from '../../records.ts'
import type { FeedbackStore } from '../store.ts'
import { addOwnImages, type OwnImage } from './own-images.ts'
import { keyed } from './restored.ts'

/** What a file of another tool holds. */
export interface ForeignRecords {
  /** By the keys under which `judgments` name them, in the order in which they are best read. */
  readonly images: ReadonlyMap<string, ForeignImage>
  readonly judgments: readonly ForeignJudgment[]
  /** Rows that the store itself wrote, and has. */
  readonly known: number
  /** Rows without an answer. */
  readonly unanswered: number
}

export interface ForeignImage extends OwnImage {
  /** Perhaps the id of an image of this store: taken as that where the prompt is the same. */
  readonly imageId?: string
}

/** The key of an image: one picture of two prompts is two images. */
export const imageKey = (text: string, image: string): string => JSON.stringify([text, image])
const imageOfKey = (key: string) => (JSON.parse(key) as [string, string])[1]

export interface ForeignJudgment {
  /** File and row. */
  readonly where: string
  /** Its images are keys. */
  readonly judgment: Judgment
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

/**
 * Adds the images that are new, copied into a run folder, and all judgments whose images could be read.
 *
 * @param folder of the run to write; it is not there where no image is new
 * @throws {FormatError} names file and row of a judgment that makes no sense; nothing is added
 * @throws {RunInUseError | FileError} the folder is in use or cannot be written; nothing is added
 */
export async function addForeign(
  store: FeedbackStore,
  folder: string,
  records: ForeignRecords,
): Promise<ForeignCounts> {
  for (const { where, judgment } of records.judgments) {
    if (areDistinct(judgment.images)) expectJudgment(where, judgment)
  }
  const stored = new Map((await store.images()).map(({ record }) => [record.id, record.text]))
  const idOf = new Map<string, string | undefined>()
  const brought: [key: string, image: ForeignImage][] = []
  for (const [key, image] of records.images) {
    if (image.imageId !== undefined && stored.get(image.imageId) === image.text) idOf.set(key, image.imageId)
    else brought.push([key, image])
  }
  const images = brought.map(([, image]) => image)
  const { ids, added, broken } =
    images.length === 0 ? { ids: [], added: 0, broken: [] } : await addOwnImages(store, folder, images)
  brought.forEach(([key], i) => idOf.set(key, ids[i]))

  const nameOf = (key: string) => records.images.get(key)?.name ?? key
  const leftOut = broken.map(({ file, reason }) => `${file}: ${reason}`)
  const judgments = records.judgments.flatMap(({ where, judgment }): Judgment[] => {
    const ours = judgment.images.map((key) => idOf.get(key))
    const found = ours.filter((id) => id !== undefined)
    const reason =
      found.length < ours.length
        ? `its image ${nameOf(judgment.images[ours.indexOf(undefined)])} cannot be read`
        : areDistinct(found)
          ? undefined
          : 'two of its images are the same'
    if (reason === undefined) return [keyed(judgment, (key) => idOf.get(key) ?? imageOfKey(key))]
    leftOut.push(`${where}: ${reason}`)
    return []
  })
  const fresh = await store.addJudgments(judgments)
  const known = records.known + judgments.length - fresh
  return { added: fresh, known, unanswered: records.unanswered, images: added, leftOut }
}

const areDistinct = (images: readonly string[]) => new Set(images).size === images.length

function expectJudgment(where: string, judgment: Judgment): void {
  const parsed = Judgment.safeParse(judgment)
  if (parsed.success) return
  const [issue] = parsed.error.issues
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: 'a judgment',
    received: issue.message,
    remedy: 'correct the row',
    cause: parsed.error,
  })
}
