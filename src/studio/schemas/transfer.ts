/** Judgments in and out, and pictures of one's own. */
import { z } from 'zod'
import { exportFormatNames, importFormatNames } from '../../feedback/formats/formats.ts'
import { count } from './basics.ts'

export const ImportFormat = z.enum(importFormatNames)
export const ExportFormat = z.enum(exportFormatNames)
export const ExportQuery = z.object({
  format: ExportFormat,
  /** People keep their names; without it each has a pseudonym that only this studio can tell. */
  names: z.stringbool().default(false),
})
export type ImportFormat = z.infer<typeof ImportFormat>
export type ExportFormat = z.infer<typeof ExportFormat>

/**
 * Sent as multipart: `file`, `format`, for rows that name nobody `rater`, and as `images` the pictures that the file names
 * by paths.
 */
export const Imported = z.object({
  added: count,
  known: count,
  unanswered: count,
  /** New ones. */
  images: count,
  /** Images that cannot be read, and judgments about them: a line each. */
  leftOut: z.array(z.string()).default([]),
})
export type Imported = z.infer<typeof Imported>
/** Sent as multipart: `files` (PNG, JPEG, WebP) and `prompts`, one text for each in the same order, as a JSON list. */
export const Uploaded = z.object({
  round: z.string().nullable(),
  images: count,
  broken: z.array(z.object({ file: z.string(), reason: z.string() })),
})
export type Uploaded = z.infer<typeof Uploaded>
