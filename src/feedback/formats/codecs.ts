/** What reads and writes the formats of other tools. A file is loaded when its format is asked for. */
import type { ForeignRecords, WriteForeign } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import type { ExportFormatName, ForeignFormatName, ImportFormatName } from './formats.ts'

/** @throws {FormatError} names file and row of what is wrong @throws {FileError} the file cannot be read */
export type ReadForeign = (file: string, options: ForeignOptions) => Promise<ForeignRecords>

export const readers: Readonly<Record<ForeignFormatName & ImportFormatName, () => Promise<ReadForeign>>> = {
  'pick-a-pic': async () => (await import('./parquet-judgments.ts')).readParquet,
  'image-reward': async () => (await import('./image-reward.ts')).readImageReward,
  hpdv2: async () => (await import('./hpdv2.ts')).readHpdv2,
  'label-studio': async () => (await import('./label-studio.ts')).readLabelStudio,
  d3po: async () => (await import('./d3po.ts')).readD3po,
  'flow-factory': async () => (await import('./flow-factory.ts')).readFlowFactory,
}

export const writers: Readonly<Record<ForeignFormatName & ExportFormatName, () => Promise<WriteForeign>>> = {
  'pick-a-pic': async () => (await import('./pick-a-pic-export.ts')).writePickAPic,
  'image-reward': async () => (await import('./image-reward.ts')).writeImageReward,
  hpdv2: async () => (await import('./hpdv2.ts')).writeHpdv2,
  'flow-factory': async () => (await import('./flow-factory.ts')).writeFlowFactory,
  kohya: async () => (await import('./kohya.ts')).writeKohya,
}
