/** Judgments in and out, images of one's own, and backups. */
import { english } from '../speech.ts'

const { counted, figure } = english
const judgments = { one: 'judgment', other: 'judgments' }
const images = { one: 'image', other: 'images' }

export const data = {
  title: 'Data',
  about: 'Judgments come in and go out in formats that other tools read.',
  /** What the formats are good for, by their names, where the studio's own English words do not do. */
  formats: {} as Readonly<Record<string, string>>,

  export: 'Export judgments',
  nothingToExport: 'There is nothing to export yet.',
  exported: (count: number) =>
    `${counted(count, judgments)}, with the images’ SHA-256, pseudonyms of raters, times and the consent text. Votes on comparisons that you have not opened are not among them.`,
  download: 'Download',
  downloadAs: (format: string) => `Download as ${format}`,

  backup: 'Backup',
  backupWhat:
    'Everything of this studio in one file: judgments, people, images and what every run has told, as it is now, while others go on labelling. On any machine `attune studio restore FILE` makes a studio of it, with SQLite or PostgreSQL. Keep it where nobody else reads it: it holds who may sign in.',
  downloadBackup: 'Download a backup',
  withWeights: 'With the weights of policies and rewards, which are large',

  ownImages: 'Images of your own',
  ownImagesHow: 'PNG, JPEG or WebP, each with its prompt. They become a round that people can judge.',
  chooseImages: 'Choose images',
  dropThem: 'or drop them here',
  promptOf: (file: string) => `Prompt of ${file}`,
  leaveOut: (file: string) => `Leave out ${file}`,
  takenIn: (count: number) => `${counted(count, images)} taken in.`,
  labelThem: 'Label them',
  sending: 'Sending …',
  takeIn: (count: number) => `Take in ${counted(count, images)}`,

  import: 'Import judgments',
  chooseFile: 'Choose a file',
  dropIt: 'or drop it here',
  format: 'Format',
  rater: 'Rater',
  raterHint: 'For rows that name nobody.',
  chooseItsImages: 'Choose its images',
  dropThose: 'or drop them here: ',
  fileNames: 'the file names them',
  sentAlong: (files: number) => `${counted(files, { one: 'file', other: 'files' })} to be sent along`,
  importing: 'Importing …',
  importIt: 'Import',
  added: (count: number) => `${counted(count, judgments)} added`,
  known: (count: number) => `${figure(count)} known before`,
  newImages: (count: number) => `${counted(count, { one: 'new image', other: 'new images' })}`,
  unanswered: (count: number) => `${figure(count)} without an answer`,
  nothing: 'There is no judgment in this file: nothing was added.',
  leftOut: (line: string) => `Left out ${line}`,
  moreLeftOut: (count: number) => `${figure(count)} more were left out.`,
}
