/** Pictures on the disk that are torn, changed or no pictures: nobody is asked about them, and none is given out. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addImageRun, goodBad, testStudio } from '../studio.test-helper.ts'

const faults: Readonly<Record<string, (file: string, whole: Buffer) => void>> = {
  'cut in the middle': (file, whole) => writeFileSync(file, whole.subarray(0, whole.length - 30)),
  'cut by its last byte': (file, whole) => writeFileSync(file, whole.subarray(0, -1)),
  'without its end': (file, whole) => writeFileSync(file, whole.subarray(0, -12)),
  'a header alone': (file, whole) => writeFileSync(file, whole.subarray(0, 33)),
  'one bit flipped': (file, whole) => {
    const bytes = Buffer.from(whole)
    bytes[whole.indexOf('IDAT') + 8] ^= 1
    writeFileSync(file, bytes)
  },
  'zeros at its end': (file, whole) => writeFileSync(file, Buffer.concat([whole.subarray(0, -20), Buffer.alloc(20)])),
  'something behind it': (file, whole) => writeFileSync(file, Buffer.concat([whole, Buffer.from('<script>')])),
  empty: (file) => writeFileSync(file, ''),
  'a page': (file) => writeFileSync(file, '<html></html>'),
  gone: (file) => rmSync(file),
  'a folder': (file) => {
    rmSync(file)
    mkdirSync(file)
  },
  'a pipe': (file) => {
    rmSync(file)
    execFileSync('mkfifo', [file])
  },
  'a link to itself': (file) => {
    rmSync(file)
    symlinkSync(file, file)
  },
}

test('a torn picture is asked of nobody, in no way of asking, and is not given out', async () => {
  await using it = await testStudio()
  const [torn, whole] = await addImageRun(it.studio, 'round-1', ['two red circles'], { side: 200 })
  const file = it.studio.workspace.at('runs', 'round-1', torn.file)
  const bytes = readFileSync(file)
  await it.client.judge({ judgments: [goodBad('1', torn.id)] })
  const look = async () => {
    const ada = it.as('Ada')
    const asked = await Promise.all((['good-bad', 'rating'] as const).map((mode) => ada.tasks({ mode, count: 9 })))
    const images = [...new Set(asked.flatMap(({ tasks }) => tasks.flatMap((task) => task.images.map(({ id }) => id))))]
    const statuses = ['', '?size=64', '?size=1024'].map(
      async (size) => (await it.app.request(`/images/${torn.id}${size}`)).status,
    )
    return {
      images: images.sort(),
      statuses: await Promise.all(statuses),
      own: (await it.client.ownAnswers()).answers.length,
    }
  }
  const all = { images: [torn.id, whole.id].sort(), statuses: [200, 200, 200], own: 1 }
  assert.deepEqual(await look(), all)
  for (const [fault, breakIt] of Object.entries(faults)) {
    breakIt(file, bytes)
    assert.deepEqual(await look(), { images: [whole.id], statuses: [404, 404, 404], own: 0 }, fault)
    rmSync(file, { recursive: true, force: true })
    writeFileSync(file, bytes)
    assert.deepEqual(await look(), all, `${fault}, and mended`)
  }
})

test('what was whole is looked at again where its file has changed', async () => {
  await using it = await testStudio()
  const [image] = await addImageRun(it.studio, 'round-1', ['a cross'], { perPrompt: 1, side: 200 })
  const file = it.studio.workspace.at('runs', 'round-1', image.file)
  const ask = async () => (await it.as('Ada').tasks({ mode: 'good-bad' })).tasks.length
  assert.equal(await ask(), 1)
  const bytes = readFileSync(file)
  const { mtime } = statSync(file)
  bytes[bytes.indexOf('IDAT') + 6] ^= 8
  writeFileSync(file, bytes)
  utimesSync(file, mtime, new Date(mtime.getTime() + 10))
  assert.equal(await ask(), 0)
})
