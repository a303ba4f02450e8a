/** Judgments and pictures in and out through the HTTP interface. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import type { StudioError } from '../../errors.ts'
import { awkwardTexts } from '../../feedback/feedback-fixtures.test-helper.ts'
import { addImageRun, changing, goodBad, refused, testStudio } from '../studio.test-helper.ts'

/** What the directory of a ZIP archive names. */
function entriesOf(zip: Buffer): { name: string; bytes: Uint8Array<ArrayBuffer> }[] {
  const end = zip.length - 22
  let place = zip.readUInt32LE(end + 16)
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const [size, nameLength, offset] = [
      zip.readUInt32LE(place + 24),
      zip.readUInt16LE(place + 28),
      zip.readUInt32LE(place + 42),
    ]
    const name = zip.toString('utf8', place + 46, place + 46 + nameLength)
    place += 46 + nameLength
    const from = offset + 30 + zip.readUInt16LE(offset + 26)
    const bytes = new Uint8Array(zip.subarray(from, from + size))
    assert.equal(crc32(bytes), zip.readUInt32LE(offset + 14))
    return { name, bytes }
  })
}

describe('in and out', () => {
  test('judgments go out and come in again', async () => {
    await using it = await testStudio()
    const records = await addImageRun(it.studio, 'round-1', ['a', 'b'])
    await it.as('Ada "<x>"').judge({ judgments: records.map(({ id }, i) => goodBad(`j${i}`, id)) })
    for (const format of ['csv', 'jsonl'] as const) {
      const answer = await it.app.request(it.client.exportUrl(format))
      assert.match(
        answer.headers.get('content-disposition') ?? '',
        new RegExp(`attachment; filename="judgments.${format}"`),
      )
      const file = new Blob([await answer.arrayBuffer()])
      const { added, known } = await it.client.import(file, { format })
      assert.deepEqual([added, known], [0, 4])
    }
    const table = `image,answer\n${records[0].id},bad\n`
    const { added } = await it.client.import(new Blob([table]), { format: 'csv', rater: 'Eve', name: '../../x.csv' })
    assert.equal(added, 1)
    assert.equal((await it.studio.store.allRows()).at(-1)?.rater, 'Eve')
    await assert.rejects(
      it.client.import(new Blob(['image,answer\nnone,good\n']), { format: 'csv' }),
      (error: StudioError) => {
        assert.ok(!error.message.includes(it.studio.workspace.folder), error.message)
        return refused(404, 'unknown-record')(error)
      },
    )
    await assert.rejects(it.client.import(new Blob(['x']), { format: 'zip' as 'csv' }), refused(400, 'config'))
    assert.equal((await it.app.request('/api/import', changing('POST', {}))).status, 415)
    assert.equal((await it.app.request('/api/export?format=exe')).status, 400)
  })

  test('a file of Label Studio comes in with the images that are there', async () => {
    await using it = await testStudio()
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    const task = (id: number, image: string) => ({
      id,
      data: { prompt: 'a cat', image: `/data/upload/1/0a1b2c3d-${image}` },
      annotations: [{ result: [{ type: 'choices', value: { choices: ['good'] } }], completed_by: 3 }],
    })
    const file = new Blob([JSON.stringify([task(7, 'a.png'), task(8, 'b.png')])])
    const fields = { format: 'label-studio', name: 'export.json' } as const
    const counts = await it.client.import(file, fields, [new File([png], 'a.png')])
    assert.deepEqual([counts.added, counts.images, counts.leftOut.length], [1, 1, 2])
    assert.match(counts.leftOut[1], /^export\.json task 8: its image .*b\.png cannot be read$/)
    const twice = [new File([png], 'x/a.png'), new File([png, 'more'], 'y/a.png')]
    await assert.rejects(
      it.client.import(file, fields, twice),
      /form images a\.png: expected images of different names/,
    )
    const paths = [task(7, 'a.png'), { ...task(9, 'a.png'), data: { prompt: 'a cat', image: 'other/a.png' } }]
    await assert.rejects(
      it.client.import(new Blob([JSON.stringify(paths)]), fields, [new File([png], 'a.png')]),
      refused(400, 'config'),
    )
    assert.equal((await it.studio.store.allRows()).length, 1)
  })

  test('other tools’ files go out with pictures and come in with them', async () => {
    await using it = await testStudio()
    const [a, b] = await addImageRun(it.studio, 'round-1', ['two red circles'])
    const pair = {
      id: 'p',
      kind: 'pair' as const,
      images: [a.id, b.id],
      answer: 'first' as const,
      at: '2026-01-01T00:00:00.000Z',
    }
    await it.client.judge({ judgments: [pair] })
    const exported = async (format: 'image-reward' | 'pick-a-pic') => await it.app.request(it.client.exportUrl(format))
    const zip = await exported('image-reward')
    assert.match(zip.headers.get('content-disposition') ?? '', /judgments\.zip/)
    const entries = entriesOf(Buffer.from(await zip.arrayBuffer()))
    const json = entries.find(({ name }) => name === 'judgments.json')!
    const pictures = entries
      .filter(({ name }) => /\.(png|jpe?g|webp)$/.test(name))
      .map(({ name, bytes }) => new File([bytes], name))
    assert.equal(pictures.length, 2)
    const parquet = new Blob([await (await exported('pick-a-pic')).arrayBuffer()])

    await using other = await testStudio()
    const about = entries.find(({ name }) => name.endsWith('.provenance.json'))!
    const restored = await testStudio()
    await using _restored = restored
    const sent = [...pictures, new File([about.bytes], about.name)]
    await restored.client.import(new Blob([json.bytes]), { format: 'image-reward', name: 'judgments.json' }, sent)
    assert.match((await restored.studio.store.judgments())[0].rater, /^rater-[0-9a-f]{12}$/)

    const first = await other.client.import(new Blob([json.bytes]), { format: 'image-reward' }, pictures)
    assert.deepEqual([first.added, first.images, first.leftOut], [1, 2, []])
    const { rounds } = await other.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, policy, images, judged }) => [name, policy, images, judged]),
      [['import-1', 'uploaded', 2, 2]],
    )
    await using third = await testStudio()
    const without = await third.client.import(new Blob([json.bytes]), { format: 'image-reward' })
    assert.deepEqual([without.added, without.images, without.leftOut.length > 0], [0, 0, true])
    const second = await third.client.import(parquet, { format: 'pick-a-pic' })
    assert.deepEqual([second.added, second.images], [1, 2])
  })

  test('pictures of one’s own become a round; broken ones are named', async () => {
    await using it = await testStudio()
    const create = { width: 40, height: 30, channels: 3, background: 'red' } as const
    const files = [
      new File([new Uint8Array(await sharp({ create }).jpeg().toBuffer())], '<img src=x>.jpg'),
      new File([new Uint8Array(await sharp({ create }).webp().toBuffer())], 'b.webp'),
      new File(['no picture'], 'broken.png'),
      new File([new Uint8Array(await sharp({ create }).gif().toBuffer())], 'c.gif'),
    ]
    const { round, images, broken } = await it.client.upload(files, ['two red circles', awkwardTexts[0], 'c', 'd'])
    assert.deepEqual([round, images, broken.map(({ file }) => file)], ['upload-1', 2, ['broken.png', 'c.gif']])
    const { tasks } = await it.client.tasks({ mode: 'good-bad' })
    assert.deepEqual(tasks.map(({ prompt }) => prompt).sort(), [awkwardTexts[0], 'two red circles'])
    const answer = await it.app.request(`/images/${tasks[0].images[0].id}`)
    assert.equal(answer.headers.get('content-type'), 'image/png')
    assert.deepEqual(await it.client.upload([files[2]], ['x']), { round: null, images: 0, broken: [broken[0]] })
    await assert.rejects(it.client.upload([files[0]], []), refused(400, 'config'))
    await assert.rejects(it.client.upload([], []), refused(400, 'config'))
  })
})
