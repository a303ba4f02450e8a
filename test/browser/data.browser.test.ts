/** Judgments out and in again through the page, and pictures of one's own. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { createClient } from '../../src/studio/client.ts'
import type { ExportFormat } from '../../src/studio/schemas/transfer.ts'
import { addImageRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'
import { studioAtWork } from './studio-at-work.ts'

const formats: Readonly<Record<ExportFormat, string>> = {
  csv: 'CSV',
  jsonl: 'JSON lines',
  'pick-a-pic': 'Pick-a-Pic',
  'image-reward': 'ImageReward',
  hpdv2: 'HPDv2, HPDv3',
  'flow-factory': 'Flow-Factory',
  kohya: 'kohya',
}

interface UploadedFile {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

async function download(page: Page, format: ExportFormat): Promise<UploadedFile> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: `Download as ${formats[format]}` }).click(),
  ])
  return {
    name: file.suggestedFilename(),
    mimeType: 'application/octet-stream',
    buffer: readFileSync(await file.path()),
  }
}

async function importFile(page: Page, file: UploadedFile, format: ExportFormat): Promise<void> {
  await page.getByLabel('Choose a file').setInputFiles(file)
  await page.getByText(file.name).waitFor()
  await page.getByLabel('Format').selectOption(format)
  await page.getByRole('button', { name: 'Import', exact: true }).click()
}

browserSuite('data in and out', (it) => {
  const at = '2026-01-01T00:00:00.000Z'
  before(async () => {
    const { studio } = it.studio
    const records = await addImageRun(studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 3 })
    const ids = records.map(({ id }) => id)
    await createClient(it.studio.address, { rater: () => 'Ada' }).judge({
      judgments: [
        ...ids.map((id, i) => goodBad(`g${i}`, id, (['good', 'bad', 'skip'] as const)[i % 3])),
        { id: 'p0', kind: 'pair', images: [ids[0], ids[1]], answer: 'first', at },
        { id: 'p1', kind: 'pair', images: [ids[3], ids[4]], answer: 'tie', at },
        { id: 'r0', kind: 'ranking', images: [ids[0], ids[1], ids[2]], answer: 'ranked', ranks: [1, 3, 2], at },
      ],
    })
  })

  test('every format goes out and comes in again', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await using other = await studioAtWork()
    await using stranger = await it.visit({ name: 'Ben' }, other.address)
    await person.open('data')
    await stranger.open('data')
    for (const format of Object.keys(formats) as ExportFormat[]) {
      const file = await download(page, format)
      assert.ok(file.buffer.length > 100, format)
      if (format === 'csv' || format === 'jsonl') {
        await importFile(page, file, format)
        await page.getByText('0 judgments added, 9 known before').waitFor()
        await page.reload()
      }
      if (format === 'pick-a-pic') {
        await importFile(stranger.page, file, format)
        await stranger.page.getByText(/^3 judgments added, 0 known before/).waitFor()
      }
    }
    const { judgments } = (await it.studio.client.state()).counts
    assert.equal(judgments, 9)
    const { counts, rounds } = await other.client.state()
    assert.deepEqual([counts.pairs, counts.rankings, rounds.map(({ images }) => images)], [2, 1, [5]])
  })

  test('a file that cannot be read, or is of other images, is refused in words', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    person.expected.push(/status of 4\d\d/)
    await person.open('data')
    const alert = page.getByRole('main').getByRole('alert')
    const text = (name: string, content: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })
    for (const [file, format, told] of [
      [text('broken.parquet', 'no parquet'), 'pick-a-pic', /broken\.parquet.*Expected.*received/s],
      [text('broken.jsonl', '{"id":'), 'jsonl', /broken\.jsonl:1/],
      [text('other.jsonl', `${JSON.stringify(foreign)}\n`), 'jsonl', /unknown image/],
      [text('empty.csv', 'prompt,picture\na,b\n'), 'csv', /empty\.csv/],
    ] as const) {
      await importFile(page, file, format)
      await alert.waitFor()
      assert.match((await alert.textContent()) ?? '', told)
    }
    assert.equal((await it.studio.client.state()).counts.judgments, 9)
  })

  test('pictures of one’s own become a round; a broken one is named', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('data')
    const picture = async (name: string, format: 'png' | 'jpeg' | 'webp', red: number) => {
      const background = { r: red, g: 80, b: 40 }
      const made = sharp({ create: { width: 40, height: 30, channels: 3, background } })
      return { name, mimeType: `image/${format}`, buffer: await made.toFormat(format).toBuffer() }
    }
    await page
      .getByLabel('Choose images')
      .setInputFiles([
        await picture('a_red-square.png', 'png', 200),
        await picture('b.jpeg', 'jpeg', 150),
        await picture('c.webp', 'webp', 100),
        { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') },
      ])
    const first = page.getByLabel('Prompt of a_red-square.png')
    assert.equal(await first.inputValue(), 'a red square')
    await person.fill({ 'Prompt of b.jpeg': 'a house “by the sea”', 'Prompt of c.webp': 'a tree' })
    await person.button('Take in 4 images').click()
    await page.getByText('3 images taken in.').waitFor()
    await page.getByText('broken.png', { exact: true }).waitFor()
    await person.link('Label them').click()
    await page
      .getByText('a house “by the sea”')
      .or(page.getByText('a tree'))
      .or(page.getByText('a red square'))
      .waitFor()
    const round = (await it.studio.client.rounds()).rounds.at(-1)!
    assert.deepEqual([round.images, round.prompts, round.policy], [3, 3, 'uploaded'])
  })
})

const foreign = {
  id: 'x',
  kind: 'good-bad-skip',
  images: ['00000000000000ff'],
  answer: 'good',
  rater: 'Ada',
  raterKind: 'person',
  at: '2026-01-01T00:00:00.000Z',
}
