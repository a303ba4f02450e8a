/** `feedback sheet`: contact sheets to judge images by eye. */
import { z } from 'zod'
import { readImages } from '../images/image-run.ts'
import { writeSheets } from './sheet.ts'

export const SheetConfig = z.strictObject({
  images: z.array(z.string().min(1)).min(1).describe('Run folders of the images to judge.'),
  out: z.string().min(1).describe('Folder for the sheets and the sheet.csv to fill in.'),
  columns: z.int().positive().default(6).describe('Pictures beside each other.'),
  rows: z.int().positive().default(5).describe('Pictures below each other.'),
  thumbnailSize: z
    .int()
    .min(16)
    .max(2048)
    .default(256)
    .describe(
      'Longest side of a picture on the sheet, pixels: larger ones are made smaller, small ones enlarged by a whole factor.',
    ),
})
export type SheetConfig = z.infer<typeof SheetConfig>

/** Writes numbered contact sheets and a `sheet.csv` that can be filled in and imported. @returns the files */
export async function makeSheets({ images, out, ...options }: SheetConfig): Promise<string[]> {
  return await writeSheets(await readImages(...images), out, options)
}
