import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { runTasks } from './child-processes.ts'
import { ProcessError } from './errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))
const script = pathToFileURL(join(folder, 'task.mjs'))
writeFileSync(
  script,
  `import { serveTask } from ${JSON.stringify(new URL('./child-processes.ts', import.meta.url).href)}
import { ConfigError } from ${JSON.stringify(new URL('./errors.ts', import.meta.url).href)}
serveTask(async ({ value, waitMs = 0, fate }, count) => {
  await new Promise((done) => setTimeout(done, waitMs))
  if (fate === 'complain') throw new ConfigError({ where: 'a', expected: 'b', received: 'c', remedy: 'd' })
  if (fate === 'die') process.exit(7)
  count(value)
  return { square: value * value }
})
`,
)

test('results come in the order of the tasks, counts as they happen', async () => {
  let counted = 0
  const tasks = [{ value: 1, waitMs: 200 }, { value: 2 }, { value: 3 }]
  const results = await runTasks<(typeof tasks)[number], { square: number }>(script, tasks, {
    atOnce: 2,
    onCount: (count) => (counted += count),
  })
  assert.deepEqual(
    results.map(({ result }) => result.square),
    [1, 4, 9],
  )
  assert.ok(results.every(({ seconds }) => seconds >= 0))
  assert.equal(counted, 6)
})

test('a complaint keeps its words, and a dead process is told', async () => {
  const failing = (fate: string) => runTasks(script, [{ value: 1, fate }, { value: 2 }], { atOnce: 1 })
  await assert.rejects(failing('complain'), (error: ProcessError) => {
    assert.ok(error instanceof ProcessError)
    assert.deepEqual([error.message, error.exitCode], ['a: expected b, received c — d', 2])
    return true
  })
  await assert.rejects(failing('die'), /exit code 7/)
  const beside = runTasks(
    script,
    [
      { value: 1, waitMs: 60_000 },
      { value: 2, fate: 'die' },
    ],
    { atOnce: 2 },
  )
  await assert.rejects(beside, /exit code 7/)
})
