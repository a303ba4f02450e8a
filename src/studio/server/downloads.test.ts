/** What is made to be sent is on the disk while it is, and in memory piece by piece. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StudioError } from '../../errors.ts'
import { addImageRun, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { download } from './downloads.ts'

const left = ({ studio }: TestStudio) => readdirSync(studio.workspace.at('uploads'))

/** Of so many files, of which each would have this many bytes. */
const made = (it: TestStudio, files: number, bytes: number) =>
  download(it.studio, (folder) => {
    mkdirSync(join(folder, 'inner'))
    for (let i = 0; i < files; i++) {
      writeFileSync(join(folder, 'inner', `${i}.png`), '')
      truncateSync(join(folder, 'inner', `${i}.png`), bytes)
    }
    return Promise.resolve({ file: 'inner/0.png', archive: 'all.zip' })
  })

test('an export is gone when it was sent, when nobody takes it any more, and when it was refused', async () => {
  await using it = await testStudio()
  const [image] = await addImageRun(it.studio, 'round-1', ['a'])
  await it.client.judge({ judgments: [goodBad('a', image.id)] })
  for (const format of ['csv', 'image-reward'] as const) {
    const url = it.client.exportUrl(format)
    const whole = await it.app.request(url)
    assert.equal(left(it).length, 1)
    assert.ok((await whole.arrayBuffer()).byteLength > 20)
    assert.deepEqual(left(it), [])
    const broken = await it.app.request(url)
    const reader = broken.body!.getReader()
    await reader.read()
    await reader.cancel()
    assert.deepEqual(left(it), [])
    const head = await it.app.request(url, { method: 'HEAD' })
    assert.match(head.headers.get('content-disposition')!, /judgments/)
    assert.deepEqual(left(it), [])
  }
  assert.equal((await it.app.request('/api/export?format=exe')).status, 400)
  assert.deepEqual(left(it), [])
})

test('an archive comes file by file, and one that its format cannot hold is refused', async () => {
  await using it = await testStudio()
  const answer = await made(it, 40, 5_000_000)
  let [bytes, most] = [0, 0]
  for await (const piece of answer.body!) {
    bytes += piece.length
    most = Math.max(most, piece.length)
  }
  assert.ok(bytes > 200e6 && most <= 5_000_000, `${bytes} bytes, ${most} at once`)
  assert.deepEqual(left(it), [])
  const refused = (error: unknown) => error instanceof StudioError && error.status === 413
  await assert.rejects(made(it, 2, 2.2e9), refused)
  assert.deepEqual(left(it), [])
})
