/**
 * Facts of the formats in which judgments come and go: the command line, the server and the pages read them, so they are
 * free of Node. What reads and writes a format of another tool is named in codecs.ts.
 */
import type { Judgment } from '../../records.ts'

/** A file format of judgments. */
export interface Format {
  readonly title: string
  /** What it is, in a few words. */
  readonly about: string
  /** Of its files: `.json`; empty where it is a folder. */
  readonly ending: `.${string}` | ''
  /** What only its files begin with, where other formats have the same ending. */
  readonly start?: RegExp
  /** Pictures of the images that it is about: it has none, holds them, or names them by paths. */
  readonly pictures: 'none' | 'inside' | 'beside'
  /** What it can hold; of an export, everything else is left out and counted. */
  readonly kinds: readonly Judgment['kind'][]
  /** False: it cannot say of two images that neither is better, and an export leaves that out and counts it. */
  readonly hasTies?: false
  /** Whether it can be written too. */
  readonly isExported: boolean
  /** False: it is only written. */
  readonly isImported?: false
}

const all = ['good-bad-skip', 'pair', 'rating', 'ranking', 'vote'] as const
const comparisons = ['pair', 'ranking'] as const

const facts = {
  csv: {
    title: 'CSV',
    about: 'a row an answer; opens in any spreadsheet',
    ending: '.csv',
    pictures: 'none',
    kinds: all,
    isExported: true,
  },
  jsonl: {
    title: 'JSON lines',
    about: 'everything that is known of each judgment',
    ending: '.jsonl',
    pictures: 'none',
    kinds: all,
    isExported: true,
  },
  'pick-a-pic': {
    title: 'Pick-a-Pic',
    about: 'Parquet with the images inside, also of ImageRewardDB',
    ending: '.parquet',
    pictures: 'inside',
    kinds: comparisons,
    isExported: true,
  },
  'image-reward': {
    title: 'ImageReward',
    about: 'JSON of pairs and rankings with the images beside it',
    ending: '.json',
    pictures: 'beside',
    kinds: comparisons,
    isExported: true,
  },
  hpdv2: {
    title: 'HPDv2, HPDv3',
    about: 'JSON with preferences or ranks',
    ending: '.json',
    start: /"human_preference"|"image_path"\s*:\s*\[|"file_path"|"path1"/,
    pictures: 'beside',
    kinds: comparisons,
    isExported: true,
  },
  'label-studio': {
    title: 'Label Studio',
    about: 'JSON export of choices, pairs, rankings and stars',
    ending: '.json',
    start: /"annotations"|"completed_by"/,
    pictures: 'beside',
    kinds: ['good-bad-skip', 'pair', 'rating', 'ranking'],
    isExported: false,
  },
  d3po: {
    title: 'D3PO',
    about: 'JSON of a number an image; its prompt.json goes with the images',
    ending: '.json',
    start: /^\s*\[\s*[[\d-]/,
    pictures: 'beside',
    kinds: comparisons,
    isExported: false,
  },
  'flow-factory': {
    title: 'Flow-Factory',
    about: 'JSON lines (schema 2) of preferred and rejected images beside it',
    ending: '.jsonl',
    start: /"schema_version"/,
    pictures: 'beside',
    kinds: comparisons,
    hasTies: false,
    isExported: true,
  },
  kohya: {
    title: 'kohya',
    about: 'folders w and l with captions, for sd-scripts; also a data set of Flow-Factory',
    ending: '',
    pictures: 'beside',
    kinds: comparisons,
    hasTies: false,
    isImported: false,
    isExported: true,
  },
} as const satisfies Readonly<Record<string, Format>>

/** Names of the formats, as `--format` takes them. */
export type FormatName = keyof typeof facts
type WithFacts<F> = { [N in FormatName]: (typeof facts)[N] extends F ? N : never }[FormatName]
export type ImportFormatName = Exclude<FormatName, WithFacts<{ isImported: false }>>
export type ExportFormatName = WithFacts<{ isExported: true }>
/** Of other tools. */
export type ForeignFormatName = WithFacts<{ pictures: 'inside' | 'beside' }>

/** What each format of judgments can do. */
export const formats: Readonly<Record<FormatName, Format>> = facts
const formatNames = Object.keys(facts) as readonly FormatName[]
export const importFormatNames = formatNames.filter(
  (name): name is ImportFormatName => formats[name].isImported !== false,
)
export const exportFormatNames = formatNames.filter((name): name is ExportFormatName => formats[name].isExported)

export const isForeign = (name: FormatName): name is ForeignFormatName => formats[name].pictures !== 'none'

/**
 * The format that a file seems to be of, by its ending, and where several have it by its start: of those without a start
 * the first one where no other fits.
 */
export function likelyFormat(file: string, start: string): ImportFormatName | undefined {
  const ending = /\.[a-z\d]+$/.exec(file.toLowerCase())?.[0].replace(/^\.tsv$/, '.csv')
  const fitting = importFormatNames.filter((name) => formats[name].ending === ending)
  const isMarked = (name: FormatName) => formats[name].start?.test(start)
  return fitting.findLast(isMarked) ?? fitting.find((name) => formats[name].start === undefined)
}
