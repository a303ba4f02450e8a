/** The formats in which judgments come and go: one table for the command line, the server and the pages. */
import { basename, extname } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'

export const formatNames = ['csv', 'jsonl', 'pick-a-pic', 'image-reward', 'hpdv2', 'label-studio', 'd3po'] as const
/** Names of the formats, as `--format` takes them. */
export type FormatName = (typeof formatNames)[number]
export const exportFormatNames = ['csv', 'jsonl', 'pick-a-pic', 'image-reward'] as const
export type ExportFormatName = (typeof exportFormatNames)[number]

/** A file format of judgments. */
export interface Format {
  readonly title: string
  readonly ending: '.csv' | '.jsonl' | '.parquet' | '.json'
  /** The file brings images, or names them by paths. */
  readonly bringsImages: boolean
  /** What it can hold; of an export, everything else is left out and counted. */
  readonly kinds: readonly Judgment['kind'][]
}

const all = ['good-bad-skip', 'pair', 'rating', 'ranking', 'vote'] as const

/** What each file format of judgments can do. */
export const formats: Readonly<Record<FormatName, Format>> = {
  csv: { title: 'CSV', ending: '.csv', bringsImages: false, kinds: all },
  jsonl: { title: 'JSON lines', ending: '.jsonl', bringsImages: false, kinds: all },
  'pick-a-pic': {
    title: 'Pick-a-Pic, ImageRewardDB (parquet)',
    ending: '.parquet',
    bringsImages: true,
    kinds: ['pair', 'ranking'],
  },
  'image-reward': { title: 'ImageReward (JSON)', ending: '.json', bringsImages: true, kinds: ['pair', 'ranking'] },
  hpdv2: { title: 'HPDv2, HPDv3 (JSON)', ending: '.json', bringsImages: true, kinds: ['pair', 'ranking'] },
  'label-studio': {
    title: 'Label Studio (JSON)',
    ending: '.json',
    bringsImages: true,
    kinds: ['good-bad-skip', 'pair', 'rating', 'ranking'],
  },
  d3po: { title: 'D3PO (JSON)', ending: '.json', bringsImages: true, kinds: ['pair', 'ranking'] },
}

/**
 * The format that only one of `names` writes with the ending of a file.
 *
 * @throws {ConfigError} none does, or several do
 */
export function formatOf<Name extends FormatName>(file: string, names: readonly Name[]): Name {
  const ending = extname(file).toLowerCase()
  const fitting = names.filter((name) => formats[name].ending === ending)
  if (fitting.length === 1) return fitting[0]
  const endings = [...new Set(names.map((name) => formats[name].ending))]
  throw new ConfigError({
    where: basename(file),
    expected: fitting.length > 1 ? `--format ${fitting.join(', ')}` : `a file named ${endings.join(', ')}`,
    received: fitting.length > 1 ? `a ${ending} file of an unknown format` : ending || 'no ending',
    remedy: fitting.length > 1 ? 'say which one it is' : 'rename it by its format, or name that with --format',
  })
}
