/** Room on the disk through the HTTP interface. */
import assert from 'node:assert/strict'
import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addImageRun, testStudio } from '../studio.test-helper.ts'

test('the disk of the workspace is told, and how large images are there', async () => {
  await using it = await testStudio()
  const empty = await it.client.disk()
  const { blocks, bsize } = statfsSync(it.studio.workspace.folder)
  assert.equal(empty.totalBytes, blocks * bsize)
  assert.ok(empty.freeBytes >= 0 && empty.freeBytes <= empty.totalBytes)
  const images = await addImageRun(it.studio, 'round-1', ['two red circles', 'a blue ring'], { side: 64 })
  const sizes = images.map(({ file }) => statSync(join(it.studio.workspace.at('runs', 'round-1'), file)).size)
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  assert.ok(Math.abs((await it.client.disk()).imageBytes - mean) < 1)
  assert.notEqual(empty.imageBytes, mean)
})
