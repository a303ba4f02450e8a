import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import { FileError } from '../errors.ts'
import { writeDrawn } from './draw.ts'
import { checkReference, readReference } from './reference.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))
const square = { width: 4, height: 4 }

test('the images of a folder in the order of their names, cut to one size; broken files are left out', async () => {
  const photos = join(folder, 'photos')
  mkdirSync(join(photos, 'inner'), { recursive: true })
  const plain = (background: string, width: number, height: number, channels: 3 | 4 = 3) =>
    sharp({ create: { width, height, channels, background } })
  await plain('#0000ff', 12, 8)
    .png()
    .toFile(join(photos, 'inner', 'c.png'))
  await plain('#00ff00', 4, 9).webp({ lossless: true }).toFile(join(photos, 'b.WEBP'))
  await plain('#ff0000', 8, 8).jpeg({ quality: 100 }).toFile(join(photos, 'a.jpg'))
  await plain('#00000000', 6, 6, 4).png().toFile(join(photos, 'transparent.png'))
  await plain('#808080', 5, 5).toColourspace('b-w').png().toFile(join(photos, 'grey.png'))
  writeFileSync(join(photos, 'broken.png'), 'no image')
  writeFileSync(join(photos, 'notes.txt'), 'no image either')
  const pictures = await readReference(photos, square)
  assert.deepEqual(
    pictures.map(({ bytes, width, height }) => [bytes.length, width, height]),
    pictures.map(() => [48, 4, 4]),
  )
  const colours = pictures.map(({ bytes }) => [...bytes.slice(0, 3)])
  assert.equal(colours.length, 5)
  const [red, green, grey, blue, transparent] = colours
  assert.ok(red[0] > 250 && red[1] < 5 && red[2] < 5, `${red.join()}`)
  assert.deepEqual(
    [green, grey, blue, transparent],
    [
      [0, 255, 0],
      [128, 128, 128],
      [0, 0, 255],
      [255, 255, 255],
    ],
  )
})

test('images that the report drew itself are taken as they are', async () => {
  const file = join(folder, 'reference.safetensors')
  const pictures = [10, 200].map((level) => ({ bytes: new Uint8Array(12).fill(level), width: 2, height: 2 }))
  writeDrawn(file, { pictures, rewards: [0, 1] })
  assert.deepEqual(await readReference(file, square), pictures)
})

test('a folder that is not there, is empty or has only broken images is refused', async () => {
  const [empty, broken] = ['empty', 'broken'].map((name) => join(folder, name))
  for (const made of [empty, broken]) mkdirSync(made)
  writeFileSync(join(broken, 'a.png'), 'no image')
  const refused = (source: string, received: RegExp) =>
    assert.rejects(readReference(source, square), (error: FileError) => {
      assert.ok(error instanceof FileError)
      assert.match(error.message, received)
      assert.match(error.message, /give a folder of images/)
      return true
    })
  await refused(join(folder, 'nowhere'), /no such folder/)
  await refused(join(broken, 'a.png'), /no such folder/)
  await refused(empty, /0 files of these kinds/)
  await refused(broken, /1 files of these kinds, none readable/)
})

test('broken images are told before anything is drawn, and too few are refused', async () => {
  const said: string[] = []
  const stderr = { write: (text: string) => said.push(text) }
  await checkReference(join(folder, 'photos'), 5, stderr)
  assert.match(said.join(''), /^reference images: left out .*broken\.png: expected a PNG, JPEG or WebP image/)
  await assert.rejects(checkReference(join(folder, 'photos'), 8, stderr), /at least 8 images.*received 5/)
  await assert.rejects(checkReference(join(folder, 'none'), 8, stderr), FileError)
})
