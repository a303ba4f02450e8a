import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { FormatError, RunInUseError } from '../../errors.ts'
import { readImages } from '../../images/image-run.ts'
import { awkwardTexts } from '../feedback-fixtures.test-helper.ts'
import { picture, workspace } from './formats.test-helper.ts'
import { addOwnImages } from './own-images.ts'
import { ownPicture } from './own-picture.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('addOwnImages', () => {
  it('copies PNG, JPEG and WebP by their content into a run folder that can be read', async () => {
    await using place = await workspace()
    const { store, at } = place
    const [png, jpeg, webp] = await Promise.all([
      picture('red').png().toBuffer(),
      picture('green').jpeg().toBuffer(),
      picture('blue').webp().toBuffer(),
    ])
    const { ids, ...counts } = await addOwnImages(
      store,
      at('upload'),
      [
        { text: 'one', name: 'a.jpg', bytes: png },
        { text: 'two', name: 'b.png', bytes: () => Promise.resolve(jpeg), model: 'sd' },
        { text: 'three', name: 'c', bytes: webp, id: 'p7', category: 'color', attributes: { object: 'circle' } },
        { text: 'one', name: 'again.png', bytes: png },
      ],
      { files: 4 },
    )
    assert.deepEqual(counts, { added: 3, known: 1, broken: [] })
    assert.equal(ids[0], ids[3])
    const read = await readImages(at('upload'))
    assert.deepEqual(
      read.map(({ record }) => record.id),
      ids.slice(0, 3),
    )
    const [{ record: first, file }, { record: second }, { record: third }] = read
    assert.deepEqual(readFileSync(file), png, 'a plain PNG stays as it is')
    assert.equal(first.sha256, sha256(png))
    assert.deepEqual(second.source, { name: 'b.png', sha256: sha256(jpeg), model: 'sd' })
    assert.deepEqual([second.policy, second.sampler, second.index], ['uploaded', undefined, 1])
    assert.deepEqual([third.prompt, third.category, third.attributes], ['p7', 'color', { object: 'circle' }])
    const stored = await store.images()
    assert.deepEqual(new Set(stored.map(({ folder }) => folder)), new Set([at('upload')]))
    assert.deepEqual(JSON.parse(readFileSync(at('upload/config.json'), 'utf8')), { stage: 'images upload', files: 4 })

    const again = await addOwnImages(store, at('other'), [{ text: 'two', name: 'x', bytes: jpeg }])
    assert.deepEqual(again, { ids: [ids[1]], added: 0, known: 1, broken: [] })
    assert.ok(!existsSync(at('other')))
    await assert.rejects(addOwnImages(store, at('upload'), []), RunInUseError)
  })

  it('names what is broken and keeps the others', async () => {
    await using place = await workspace()
    const { store, at } = place
    const png = await picture('red').png().toBuffer()
    const noise = await sharp(Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256)), {
      raw: { width: 64, height: 64, channels: 3 },
    })
      .jpeg()
      .toBuffer()
    const bad = [
      { text: 'a', name: 'empty.png', bytes: new Uint8Array() },
      { text: 'a', name: 'text.png', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
      { text: 'a', name: 'cut.jpg', bytes: noise.subarray(0, 900) },
      { text: 'a', name: 'head.png', bytes: png.subarray(0, 20) },
      { text: ' ', name: 'no prompt.png', bytes: png },
      { text: 'a'.repeat(10_001), name: 'long.png', bytes: png },
      { text: 'a\0', name: 'nul.png', bytes: png },
    ]
    const good = { text: 'a', name: 'good.png', bytes: png }
    const { ids, added, broken } = await addOwnImages(store, at('upload'), [...bad, good])
    assert.deepEqual(
      broken.map(({ file }) => file),
      bad.map(({ name }) => name),
    )
    assert.deepEqual([added, ids.indexOf(ids.at(-1))], [1, bad.length])
    assert.match(broken[0].reason, /^expected a PNG, JPEG or WebP image, received an empty file — /)
    assert.match(broken[2].reason, /a broken one \(/)
    assert.match(broken[5].reason, /received 10001 characters/)
    assert.deepEqual((await addOwnImages(store, at('none'), bad)).added, 0)
    assert.ok(!existsSync(at('none')))
  })

  it('keeps prompts as they are', async () => {
    await using place = await workspace()
    const { store, at } = place
    const bytes = await picture('red').png().toBuffer()
    const texts = [...awkwardTexts, '🐕'.repeat(5000)]
    await addOwnImages(
      store,
      at('upload'),
      texts.map((text) => ({ text, name: text, bytes })),
    )
    assert.deepEqual(
      (await readImages(at('upload'))).map(({ record }) => [record.text, record.source?.name]),
      texts.map((text) => [text, text]),
    )
  })
})

describe('ownPicture', () => {
  it('turns, flattens and strips', async () => {
    const photo = await picture('red', { width: 4, height: 2 })
      .jpeg()
      .withExif({ IFD0: { Copyright: 'Ada' } })
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const upright = await sharp(await ownPicture(photo, 'photo')).metadata()
    assert.deepEqual([upright.width, upright.height, upright.exif, upright.orientation], [2, 4, undefined, undefined])

    const clear = await sharp({ create: { width: 2, height: 2, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer()
    const { data, info } = await sharp(await ownPicture(clear, 'clear'))
      .raw()
      .toBuffer({ resolveWithObject: true })
    assert.deepEqual([info.channels, ...data.subarray(0, 3)], [3, 255, 255, 255])
  })

  it('refuses what is too large', async () => {
    const wide = await picture('red', { width: 8000, height: 5001 }).png({ compressionLevel: 1 }).toBuffer()
    await assert.rejects(ownPicture(wide, 'wide'), /^FormatError: wide: .*8000 × 5001 pixels/)
    const heavy = Buffer.concat([await picture('red').png().toBuffer(), Buffer.alloc(33 * 2 ** 20)])
    await assert.rejects(ownPicture(heavy, 'heavy'), FormatError)
  })
})
