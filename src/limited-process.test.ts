import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { FormatError, ProcessError, UnknownRecordError } from './errors.ts'
import { importLimits, runLimited } from './limited-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))
const made = join(folder, 'made')
const script = pathToFileURL(join(folder, 'task.mjs'))
writeFileSync(
  script,
  `import { mkdirSync } from 'node:fs'
import { serveLimited } from ${JSON.stringify(new URL('./limited-process.ts', import.meta.url).href)}
import { UnknownRecordError } from ${JSON.stringify(new URL('./errors.ts', import.meta.url).href)}
serveLimited(async ({ fate }) => {
  mkdirSync(${JSON.stringify(made)}, { recursive: true })
  if (fate === 'complain') throw new UnknownRecordError({ where: 'a', expected: 'b', received: 'c', remedy: 'd' })
  if (fate === 'fail') throw new TypeError('ours')
  if (fate === 'hang') for (;;);
  const kept = []
  while (fate === 'bytes') kept.push(Buffer.alloc(20e6, 1))
  while (fate === 'objects') kept.push({ kept: [kept.length] })
  return [undefined, 3]
})
`,
)

const run = (fate: string, stalledSeconds = 60) =>
  runLimited(
    script,
    { fate },
    { where: 'a.csv', limits: { memoryBytes: 400 * 2 ** 20, stalledSeconds }, made: [made, folder] },
  )

test('a result comes as it is, a complaint in its own class', async () => {
  assert.deepEqual(await run('work'), [undefined, 3])
  assert.ok(existsSync(made))
  await assert.rejects(run('complain'), (error) => {
    assert.ok(error instanceof UnknownRecordError)
    assert.equal(error.message, 'a: expected b, received c — d')
    return true
  })
  await assert.rejects(run('fail'), ProcessError)
})

for (const [fate, seconds, received] of [
  ['hang', 1, 'one that takes longer'],
  ['bytes', 60, 'one that takes more memory'],
  ['objects', 60, 'one that takes more memory'],
] as const) {
  test(`one that goes beyond its limits is ended, and what it has made is removed: ${fate}`, async () => {
    rmSync(made, { recursive: true, force: true })
    await assert.rejects(run(fate, seconds), (error) => {
      assert.ok(error instanceof FormatError)
      assert.match(
        error.message,
        new RegExp(`^a\\.csv: expected a file that can be read within 0\\.4 GiB.*${received}`),
      )
      return true
    })
    assert.ok(!existsSync(made) && existsSync(folder))
  })
}

test('a large file may take more', () => {
  const file = join(folder, 'large')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, Buffer.alloc(2 ** 27))
  assert.equal(importLimits(file).memoryBytes, 2 ** 31)
  assert.equal(importLimits(join(folder, 'none')).memoryBytes, 2 ** 30)
})
