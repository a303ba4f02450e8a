import type { ExportFormat, ImportFormat } from '../../../src/studio/schemas/transfer.ts'

export const formatTitles: Readonly<Record<ImportFormat | ExportFormat, readonly [title: string, about: string]>> = {
  csv: ['CSV', 'a row an answer; opens in any spreadsheet'],
  jsonl: ['JSON lines', 'everything that is known of each judgment'],
  'pick-a-pic': ['Pick-a-Pic', 'Parquet of pairs and rankings with the images inside'],
  'image-reward': ['ImageReward', 'JSON of pairs and rankings with the images beside it'],
  hpdv2: ['HPDv2', 'JSON with preferences or ranks'],
  'label-studio': ['Label Studio', 'JSON export of choices, pairs and rankings'],
}

/** Files that name their images by paths. */
export const namesImages = (format: ImportFormat): boolean =>
  format === 'image-reward' || format === 'hpdv2' || format === 'label-studio'
