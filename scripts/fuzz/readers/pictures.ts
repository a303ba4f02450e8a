/** Pictures, and folders of them with captions. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { ownPicture } from '../../../src/feedback/formats/own-picture.ts'
import { readCroppedPicture } from '../../../src/images/cropped-picture.ts'
import { readCaptionedImages } from '../../../src/images/image-folder.ts'
import { LeftOut } from '../../../src/images/left-out.ts'
import { readPicture } from '../../../src/images/png.ts'
import { random } from '../../../src/random.ts'
import { asFile, type Reader, texts } from './reader.ts'

const picture = () => sharp({ create: { width: 9, height: 7, channels: 4, background: '#f008' } })
const pngs = async () => [
  await picture().png().toBuffer(),
  await picture().png({ palette: true }).toBuffer(),
  await picture().withMetadata({ orientation: 6 }).png().toBuffer(),
]
const otherPictures = async () => [
  await picture().jpeg().toBuffer(),
  await picture().withMetadata({ orientation: 6 }).jpeg({ progressive: true }).toBuffer(),
  await picture().webp().toBuffer(),
  await picture().webp({ lossless: true }).toBuffer(),
]

async function captioned(folder: string) {
  mkdirSync(join(folder, 'b'), { recursive: true })
  writeFileSync(join(folder, 'a.png'), '')
  writeFileSync(join(folder, 'b', 'c.png'), '')
  await readCaptionedImages(folder, { imageColumn: 'file_name', captionColumn: 'text' }, new LeftOut('images'))
}

export const pictureReaders: readonly Reader[] = [
  { name: 'upload png', form: 'png', sound: pngs, open: () => (bytes) => ownPicture(bytes, 'input') },
  { name: 'upload jpeg webp', form: 'bytes', sound: otherPictures, open: () => (bytes) => ownPicture(bytes, 'input') },
  { name: 'picture of a run', form: 'png', sound: pngs, open: asFile('a.png', readPicture) },
  {
    name: 'training picture',
    form: 'bytes',
    sound: async () => [...(await pngs()), ...(await otherPictures())],
    open: asFile('a.png', (file) =>
      readCroppedPicture(file, { width: 16, height: 16, centerCrop: true, randomFlip: false }, random(1)),
    ),
  },
  {
    name: 'captioned folder jsonl',
    form: 'lines',
    sound: () => texts('{"file_name":"a.png","text":"a cat"}\n{"file_name":"b/c.png","text":"a dog"}'),
    open: asFile('images/metadata.jsonl', (file) => captioned(dirname(file))),
  },
  {
    name: 'captioned folder csv',
    form: 'text',
    sound: () => texts('file_name,text\na.png,"a cat"\nb/c.png,a dog\n'),
    open: asFile('images/metadata.csv', (file) => captioned(dirname(file))),
  },
]
