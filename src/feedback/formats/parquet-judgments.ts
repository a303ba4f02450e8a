/** Parquet files of judgments: which of the known ones a file is, its columns say. */
import type { ForeignRecords } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import { imageRewardDbColumns, isImageRewardDb, readImageRewardDb } from './image-reward-db.ts'
import { openParquet } from './parquet-file.ts'
import { pickAPicColumns, readPickAPic } from './pick-a-pic-import.ts'

/**
 * Reads a file of Pick-a-Pic, ImageRewardDB or RichHF-18K.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, a column that is missing or of another type, or a row that makes no sense
 */
export async function readParquet(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const parquet = await openParquet(file, options.name, [...pickAPicColumns, ...imageRewardDbColumns])
  return await (isImageRewardDb(parquet) ? readImageRewardDb : readPickAPic)(parquet, options)
}
