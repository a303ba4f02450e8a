/**
 * Contact sheets: numbered pictures with their prompts, page by page, and a `sheet.csv` to fill in beside them, which
 * `importFeedback` accepts as it is.
 */
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import sharp, { type OverlayOptions } from 'sharp'
import { AttuneError, ConfigError, FileError, FormatError } from '../errors.ts'
import { writeFileAtomic } from '../files.ts'
import { readPngFile } from '../images/png-file.ts'
import type { ImageRecord } from '../records.ts'

/** An image and its PNG as an absolute path. */
export interface SheetImage {
  readonly record: ImageRecord
  readonly file: string
}

/** What contact sheets look like. */
export interface SheetOptions {
  /** Pictures beside each other; default 6. */
  readonly columns?: number
  /** Pictures below each other; default 5. */
  readonly rows?: number
  /**
   * Longest side of a picture on the sheet, px; default 256. Larger pictures are made smaller, and small ones are enlarged
   * by the largest whole factor that fits, without smoothing.
   */
  readonly thumbnailSize?: number
}

const margin = 8
const numberSize = 18
const textSize = 11
const lineHeight = 14
const lines = 3
/** Least width of a cell, px: about 28 letters of a prompt. */
const leastWidth = 176
/** Of one page: what programs that show pictures open without trouble. */
const mostPixels = 40e6

/**
 * Writes `sheet-01.png`, … and then `sheet.csv` (`number,image,prompt,answer,rater`, the last two empty) into `folder`,
 * which is made where it is missing. Numbers start at 1 and run on over the pages, in the order given.
 *
 * @returns the files written, `sheet.csv` last
 * @throws {ConfigError} no images, a size that is not a positive integer, or a page of more than 40 million pixels
 * @throws {FileError} there is a `sheet.csv` already (it may hold answers), or a file cannot be written
 * @throws {FormatError} a picture cannot be read
 */
export async function writeSheets(
  images: readonly SheetImage[],
  folder: string,
  options: SheetOptions = {},
): Promise<string[]> {
  const { columns = 6, rows = 5, thumbnailSize = 256 } = options
  for (const [name, value] of Object.entries({ images: images.length, columns, rows, thumbnailSize })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new ConfigError({
      where: `contact sheet ${name}`,
      expected: 'a positive integer',
      received: String(value),
      remedy: name === 'images' ? 'generate images first' : 'choose another size',
    })
  }
  expectFits(columns, rows, thumbnailSize)
  const table = join(folder, 'sheet.csv')
  await refuseExisting(table)
  const files: string[] = []
  const perPage = columns * rows
  for (let start = 0; start < images.length; start += perPage) {
    const file = join(folder, `sheet-${String(files.length + 1).padStart(2, '0')}.png`)
    writeFileAtomic(file, await page(images.slice(start, start + perPage), start + 1, columns, thumbnailSize))
    files.push(file)
  }
  const cells = images.map(({ record }, place) => [place + 1, record.id, record.text, '', ''])
  // a spreadsheet would run a prompt that starts with = as a formula
  const layout = { header: true, columns: ['number', 'image', 'prompt', 'answer', 'rater'], escape_formulas: true }
  writeFileAtomic(table, stringify(cells, layout))
  return [...files, table]
}

/** Largest size of a cell, px. */
const cellOf = (picture: { readonly width: number; readonly height: number }) => ({
  width: Math.max(leastWidth, picture.width) + 2 * margin,
  height: picture.height + numberSize + lines * lineHeight + 2 * margin,
})

function expectFits(columns: number, rows: number, side: number): void {
  const cell = cellOf({ width: side, height: side })
  const [width, height] = [cell.width * columns, cell.height * rows]
  if (width * height <= mostPixels) return
  throw new ConfigError({
    where: 'contact sheet',
    expected: `pages of at most ${mostPixels / 1e6} million pixels`,
    received: `${columns} × ${rows} pictures of ${side} pixels, which take ${width} × ${height}`,
    remedy: 'take fewer --columns or --rows, or a smaller --thumbnail-size',
  })
}

async function refuseExisting(table: string): Promise<void> {
  try {
    await mkdir(join(table, '..'), { recursive: true })
  } catch (cause) {
    throw new FileError({
      where: table,
      expected: 'a folder that can be written',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'choose another folder',
      cause,
    })
  }
  const exists = await access(table).then(
    () => true,
    () => false,
  )
  if (!exists) return
  throw new FileError({
    where: table,
    expected: 'a folder without contact sheets',
    received: 'a sheet that may hold answers',
    remedy: 'import it and choose another folder, or remove it',
  })
}

async function page(images: readonly SheetImage[], first: number, columns: number, side: number): Promise<Buffer> {
  const pictures: Thumbnail[] = []
  // One after the other: each may be 40 million pixels while it is read.
  for (const image of images) pictures.push(await thumbnail(image, side))
  const { width, height } = cellOf({
    width: Math.max(...pictures.map((picture) => picture.width)),
    height: Math.max(...pictures.map((picture) => picture.height)),
  })
  const total = {
    width: width * Math.min(columns, images.length),
    height: height * Math.ceil(images.length / columns),
  }
  const labels: string[] = []
  const overlays = pictures.map((picture, place): OverlayOptions => {
    const left = (place % columns) * width
    const top = Math.floor(place / columns) * height
    labels.push(label(first + place, images[place].record.text, left + margin, top + margin + picture.height, width))
    return { input: picture.png, left: left + Math.floor((width - picture.width) / 2), top: top + margin }
  })
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${total.width}" height="${total.height}">${labels.join('')}</svg>`
  return await sharp({ create: { ...total, channels: 3, background: '#e8e8e8' } })
    .composite([...overlays, { input: Buffer.from(text), left: 0, top: 0 }])
    .png()
    .toBuffer()
}

interface Thumbnail {
  readonly png: Buffer
  readonly width: number
  readonly height: number
}

async function thumbnail(image: SheetImage, side: number): Promise<Thumbnail> {
  try {
    const bytes = readPngFile(image.file)
    const { width, height } = await sharp(bytes).metadata()
    const factor = Math.floor(side / Math.max(width, height))
    const resized =
      factor > 0
        ? sharp(bytes).resize({ width: width * factor, height: height * factor, kernel: 'nearest' })
        : sharp(bytes).resize({ width: side, height: side, fit: 'inside' })
    const { data, info } = await resized.png().toBuffer({ resolveWithObject: true })
    return { png: data, width: info.width, height: info.height }
  } catch (cause) {
    if (cause instanceof AttuneError) throw cause
    throw new FormatError({
      where: image.file,
      expected: 'a picture that can be read',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'generate the images again',
      cause,
    })
  }
}

function label(number: number, text: string, left: number, top: number, width: number): string {
  const middle = left + width / 2 - margin
  const prompt = wrapped(text, Math.floor((width - 2 * margin) / (textSize * 0.56)))
    .map((line, place) => {
      const baseline = top + numberSize + (place + 1) * lineHeight - 3
      return `<text x="${middle}" y="${baseline}" font-size="${textSize}" ${font}>${escaped(line)}</text>`
    })
    .join('')
  return `${digits(number, middle, top + 4)}${prompt}`
}

const font = 'font-family="sans-serif" text-anchor="middle" fill="#222"'

/** Segments of a seven-segment digit, clockwise from the top, then the middle one: [x1, y1, x2, y2] in a 1 x 2 box. */
const segments = [
  [0, 0, 1, 0],
  [1, 0, 1, 1],
  [1, 1, 1, 2],
  [0, 2, 1, 2],
  [0, 1, 0, 2],
  [0, 0, 0, 1],
  [0, 1, 1, 1],
] as const
const lit = ['012345', '12', '01346', '01236', '1256', '02356', '023456', '012', '0123456', '012356']

/** Numbers are drawn, not written: without them a sheet is useless, and a machine may have no fonts. */
function digits(number: number, middle: number, top: number): string {
  const size = (numberSize - 6) / 2
  const step = size + 5
  const shown = String(number)
  const strokes = [...shown].flatMap((digit, place) => {
    const left = middle - (shown.length * step - 5) / 2 + place * step
    return [...lit[Number(digit)]].map((segment) => {
      const [x1, y1, x2, y2] = segments[Number(segment)]
      return `M${left + x1 * size} ${top + y1 * size}L${left + x2 * size} ${top + y2 * size}`
    })
  })
  return `<path d="${strokes.join('')}" stroke="#000" stroke-width="2" stroke-linecap="round"/>`
}

/** At most {@link lines} lines of about `letters` letters, broken between words where possible. */
function wrapped(text: string, letters: number): string[] {
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
  const made: string[][] = [[]]
  for (const word of text.split(/\s+/)) {
    const parts = [...graphemes.segment(word)].map(({ segment }) => segment)
    const line = made[made.length - 1]
    if (line.length > 0 && line.length + 1 + parts.length <= letters) {
      line.push(' ', ...parts)
      continue
    }
    if (line.length === 0) made.pop()
    for (let start = 0; start < parts.length; start += letters) made.push(parts.slice(start, start + letters))
    if (made.length === 0) made.push([])
  }
  const shown = made.slice(0, lines)
  if (made.length > lines) shown[lines - 1] = [...shown[lines - 1].slice(0, letters - 1), '…']
  return shown.map((line) => line.join(''))
}

function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // eslint-disable-next-line no-control-regex -- XML cannot hold them, not even escaped
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '')
      .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
  )
}
