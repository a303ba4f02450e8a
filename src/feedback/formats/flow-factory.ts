/**
 * The offline records of Flow-Factory, schema 2: a JSON object a line, `{schema_version: 2, input: {prompt, media: []},
 * supervision, metadata?}`, where the supervision is a preference, `{type: "preference", chosen: {media}, rejected: {media}}`,
 * or a demonstration, `{type: "demonstration", target: {media}}`, and media is a list of `{type: "image", path}`. Paths are
 * relative to the file. Its loader takes no other keys, no empty line and no tie.
 */
import { basename, join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { readText, writeFileAtomic, writeFolderAtomic, writePiecesAtomic } from '../../files.ts'
import type { Judgment } from '../../records.ts'
import { complaintOf } from '../issue-complaint.ts'
import type { StoredImage } from '../store/known-rows.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords, type WriteForeign } from './foreign.ts'
import { imageAt, type ForeignOptions } from './foreign-json.ts'
import { provenanceName, restoredBeside, stemOf } from './image-reward.ts'
import type { OwnImage } from './own-images.ts'
import { copyPictures, preferredPairs, type PreferredPair } from './preferred-pairs.ts'
import type { Provenance } from './provenance.ts'
import { keyed } from './restored.ts'

const Candidate = z.object({ media: z.array(z.object({ type: z.string(), path: z.string() })).min(1) })
const Record = z.object({
  schema_version: z.literal(2),
  input: z.object({ prompt: z.string(), media: z.array(z.unknown()).default([]) }),
  supervision: z.discriminatedUnion('type', [
    z.object({ type: z.literal('preference'), chosen: Candidate, rejected: Candidate }),
    z.object({ type: z.literal('demonstration'), target: Candidate }),
  ]),
  metadata: z.unknown().optional(),
})
type Record = z.infer<typeof Record>

/** What an export notes of a pair, by which Attune knows it again. */
const Noted = z.object({ judgment: z.string(), images: z.tuple([z.string(), z.string()]) })

interface Line {
  readonly where: string
  readonly record: Record
  /** Paths of the images, the chosen one first. */
  readonly paths: readonly string[]
}

/**
 * Reads preferences as pairs and demonstrations as good images. What is about sounds, films or changes of an image is left
 * out. Where Attune wrote the file, judgments are taken back as they were.
 *
 * @throws {FormatError} names file and line
 * @throws {FileError} the file cannot be read
 */
export async function readFlowFactory(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, rater, at, findFile } = options
  const images = new Map<string, OwnImage>()
  const leftOut: string[] = []
  const lines: Line[] = []
  for (const [place, text] of (await readText(file)).split(/\r\n?|\n/).entries()) {
    if (text.trim() === '') continue
    const where = `${name}:${place + 1}`
    const record = parsedRecord(where, text)
    const { supervision, input } = record
    const sides = supervision.type === 'preference' ? [supervision.chosen, supervision.rejected] : [supervision.target]
    if (input.media.length > 0 || sides.some(({ media }) => media.length !== 1 || media[0].type !== 'image')) {
      leftOut.push(`${where}: it is not about single images that were drawn from a prompt alone`)
      continue
    }
    const paths = sides.map(({ media: [{ path }] }) => path)
    for (const path of paths) images.set(imageKey(input.prompt, path), imageAt(path, input.prompt, findFile))
    lines.push({ where, record, paths })
  }
  const known = restoredBeside(name, findFile)
  const noted = Map.groupBy(lines, ({ record }) => {
    const { success, data } = Noted.safeParse(record.metadata)
    return success ? data.judgment : undefined
  })
  const judgments: ForeignJudgment[] = []
  const restored = new Set<string>()
  for (const line of lines) {
    const { where, record, paths } = line
    const { success, data } = Noted.safeParse(record.metadata)
    if (success && restored.has(data.judgment)) continue
    const own = success ? restoredOf(known.get(data.judgment), noted.get(data.judgment) ?? []) : undefined
    if (own !== undefined) {
      restored.add(own.id)
      judgments.push({ where, judgment: own, rows: noted.get(own.id)!.length })
      continue
    }
    const keys = paths.map((path) => imageKey(record.input.prompt, path))
    const said = { id: '', images: keys, rater, raterKind: 'person', at } as const
    judgments.push({
      where,
      source: ['flow-factory'],
      judgment:
        keys.length === 2
          ? { ...said, kind: 'pair', answer: 'first' }
          : { ...said, kind: 'good-bad-skip', answer: 'good' },
    })
  }
  return { images, judgments, promptName: 'input prompt', unanswered: 0, leftOut }
}

/** The judgment behind lines, its images under the keys of the file, where these still say all that it says. */
function restoredOf(judgment: Judgment | undefined, lines: readonly Line[]): Judgment | undefined {
  if (judgment === undefined) return undefined
  const keyOf = new Map<string, string>()
  const said = lines.map(({ record, paths }) => {
    const { success, data } = Noted.safeParse(record.metadata)
    if (!success || paths.length !== 2) return ''
    data.images.forEach((id, side) => keyOf.set(id, imageKey(record.input.prompt, paths[side])))
    return data.images.join()
  })
  const expected = preferredPairs(judgment).map(({ chosen, rejected }) => [chosen, rejected].join())
  const isWhole = expected.length === said.length && expected.every((pair) => said.includes(pair))
  return isWhole ? keyed(judgment, (image) => keyOf.get(image) ?? image) : undefined
}

function parsedRecord(where: string, text: string): Record {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError({ where, expected: 'JSON', received, remedy: 'correct the syntax', cause })
  }
  const parsed = Record.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const { expected, received } = complaintOf(issue, given)
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: issue.path.length === 0 ? 'a record of Flow-Factory, schema 2' : expected,
    received,
    remedy: 'correct the line, or name the format that the file is of',
    cause: parsed.error,
  })
}

/** A pair of images with where they lie. */
export interface PlacedPair extends PreferredPair {
  /** Relative to the file of records. */
  readonly chosenPath: string
  readonly rejectedPath: string
}

/** Writes the records, and what is known of the judgments behind them beside it. @throws {FileError} */
export function writeRecords(
  file: string,
  pairs: readonly PlacedPair[],
  imageOf: (id: string) => StoredImage,
  provenance: Provenance,
): void {
  const judged = [...new Set(pairs.map(({ judgment }) => judgment))]
  writeFileAtomic(provenanceName(file), `${JSON.stringify(provenance.about(judged, imageOf), null, 2)}\n`)
  writePiecesAtomic(file, recordLines(pairs, imageOf, provenance))
}

function* recordLines(
  pairs: readonly PlacedPair[],
  imageOf: (id: string) => StoredImage,
  { outward, version, licence }: Provenance,
): Generator<string> {
  for (const { judgment, chosen, rejected, chosenPath, rejectedPath } of pairs) {
    const { id, rater, raterKind, at } = outward(judgment)
    const media = (path: string) => ({ media: [{ type: 'image', path }] })
    const record = {
      schema_version: 2,
      input: { prompt: imageOf(chosen).record.text, media: [] },
      supervision: { type: 'preference', chosen: media(chosenPath), rejected: media(rejectedPath) },
      metadata: { judgment: id, images: [chosen, rejected], rater, raterKind, at, attune: version, licence },
    }
    yield `${JSON.stringify(record)}\n`
  }
}

/**
 * Writes `<file>`, a preference a line, its images into `<file without ending>-images/`, and `<file without
 * ending>.provenance.json`. Ties are left out.
 *
 * @throws {FileError} a file cannot be written, or there are images of an earlier export
 */
export const writeFlowFactory: WriteForeign = async (file, judgments, imageOf, provenance, stderr) => {
  const folder = `${stemOf(file)}-images`
  const pairs = judgments.flatMap(preferredPairs)
  const pathOf = (image: string) => `${basename(folder)}/${image}.png`
  const shown = [...new Set(pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]))]
  await writeFolderAtomic(folder, (partial) =>
    copyPictures(
      shown.map((image) => ({ image, file: join(partial, `${image}.png`) })),
      imageOf,
      stderr,
    ),
  )
  const placed = pairs.map((pair) => ({
    ...pair,
    chosenPath: pathOf(pair.chosen),
    rejectedPath: pathOf(pair.rejected),
  }))
  writeRecords(file, placed, imageOf, provenance)
  return { rows: pairs.length, beside: [folder, provenanceName(file)] }
}
