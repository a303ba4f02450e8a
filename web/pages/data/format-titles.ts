import type { ExportFormat, ImportFormat } from '../../../src/studio/schemas/transfer.ts'

export const formatTitles: Readonly<Record<ImportFormat | ExportFormat, readonly [title: string, about: string]>> = {
  csv: ['CSV', 'a row an answer; opens in any spreadsheet'],
  jsonl: ['JSON lines', 'everything that is known of each judgment'],
  'pick-a-pic': ['Pick-a-Pic', 'Parquet with the images inside, also of ImageRewardDB'],
  'image-reward': ['ImageReward', 'JSON of pairs and rankings with the images beside it'],
  hpdv2: ['HPDv2, HPDv3', 'JSON with preferences or ranks'],
  'label-studio': ['Label Studio', 'JSON export of choices, pairs, rankings and stars'],
  d3po: ['D3PO', 'JSON of a number an image; its prompt.json goes with the images'],
}

/** Files that name their images by paths. */
export const namesImages = (format: ImportFormat): boolean =>
  ['image-reward', 'hpdv2', 'label-studio', 'd3po'].includes(format)
