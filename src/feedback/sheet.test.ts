import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import { awkwardTexts, imageRecord } from './feedback-fixtures.test-helper.ts'
import { writeSheets, type SheetImage } from './sheet.ts'
import { openFeedback } from './store/store.ts'
import { importFeedback } from './transfer.ts'

const red = { r: 255, g: 0, b: 0 }

async function pictures(folder: string): Promise<SheetImage[]> {
  const texts = [...awkwardTexts, 'a\u0000b\uD800', 'long '.repeat(60), 'x'.repeat(300)]
  const file = join(folder, 'red.png')
  await sharp({ create: { width: 24, height: 24, channels: 3, background: red } }).toFile(file)
  return texts.map((text, index) => ({ record: imageRecord(index, text), file }))
}

describe('writeSheets', () => {
  it('shows every picture, and its table can be imported once it is filled in', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sheet-'))
    const images = await pictures(folder.path)
    const files = await writeSheets(images, join(folder.path, 'out'), { columns: 2, rows: 2, thumbnailSize: 100 })
    assert.deepEqual(
      files.map((file) => basename(file)),
      ['sheet-01.png', 'sheet-02.png', 'sheet-03.png', 'sheet.csv'],
    )
    const { data, info } = await sharp(files[0]).raw().toBuffer({ resolveWithObject: true })
    let area = 0
    for (let at = 0; at < data.length; at += info.channels) {
      if (data[at] === 255 && data[at + 1] === 0 && data[at + 2] === 0) area++
    }
    assert.equal(area, 4 * (24 * 4) ** 2)

    const table = files[3]
    const empty = await readFile(table, 'utf8')
    const ids = images.map(({ record }) => record.id)
    const filled = empty.replace(/,,$/gm, (blank, at: number) =>
      empty.slice(0, at).includes(ids[2]) ? blank : ',good,',
    )
    await writeFile(table, filled)
    await using store = await openFeedback(join(folder.path, 'feedback.db'))
    await store.addImages(
      images.map(({ record }) => record),
      folder.path,
    )
    assert.deepEqual(await importFeedback(store, table), {
      added: 2,
      known: 0,
      unanswered: images.length - 2,
      images: 0,
      leftOut: [],
    })
    assert.deepEqual(
      (await store.judgments()).map((judgment) => judgment.images[0]),
      ids.slice(0, 2),
    )
  })

  it('shows large and long pictures small, on pages of a bounded size', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sheet-'))
    const sizes = [...Array.from({ length: 24 }, () => [512, 512]), [4000, 20], [20, 4000], [1, 1]]
    const images = await Promise.all(
      sizes.map(async ([width, height], index) => {
        const file = join(folder.path, `${index}.png`)
        await sharp({ create: { width, height, channels: 3, background: red } }).toFile(file)
        return { record: imageRecord(index, `prompt ${index}`), file }
      }),
    )
    const [page] = await writeSheets(images, join(folder.path, 'out'))
    const { width, height } = await sharp(page).metadata()
    assert.deepEqual([width, height], [6 * (256 + 16), 5 * (256 + 76)])
  })

  it('does not write over answers', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sheet-'))
    const images = await pictures(folder.path)
    await writeFile(join(folder.path, 'sheet.csv'), 'mine')
    await assert.rejects(writeSheets(images, folder.path), FileError)
    assert.equal(await readFile(join(folder.path, 'sheet.csv'), 'utf8'), 'mine')
  })

  it('refuses what it cannot show', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sheet-'))
    const images = await pictures(folder.path)
    await assert.rejects(writeSheets([], folder.path), ConfigError)
    await assert.rejects(
      writeSheets(images, folder.path, { columns: 30, rows: 30 }),
      /ConfigError: contact sheet: expected pages of at most 40 million pixels.*--thumbnail-size/,
    )
    await assert.rejects(writeSheets(images, folder.path, { thumbnailSize: 0 }), ConfigError)
    await writeFile(join(folder.path, 'broken.png'), 'no picture')
    await assert.rejects(
      writeSheets([{ ...images[0], file: join(folder.path, 'broken.png') }], folder.path),
      FormatError,
    )
    await assert.rejects(writeSheets(images, join(folder.path, 'red.png', 'below')), FileError)
  })
})
