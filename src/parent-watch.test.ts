import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

const watch = JSON.stringify(new URL('./parent-watch.ts', import.meta.url).href)
const run = (script: string): ChildProcess & { stdout: NodeJS.ReadableStream } =>
  spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })

/** Computes without an end, so that it hears of nothing. */
const busy = `
  import { endWithParent } from ${watch}
  endWithParent()
  await new Promise((ready) => setTimeout(ready, 50))
  process.stdout.write(process.pid + '\\n')
  await new Promise((written) => setTimeout(written, 50))
  for (;;) Math.random()`

const isThere = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a busy process ends when the one that it works for is killed', { timeout: 120_000 }, async () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    const parent = run(`
      import { spawn } from 'node:child_process'
      import { withParent } from ${watch}
      const words = ['--input-type=module', '-e', ${JSON.stringify(busy)}]
      spawn(process.execPath, words, { env: withParent(), stdio: ['ignore', 'inherit', 'inherit'] })`)
    const [told] = (await once(parent.stdout, 'data')) as [Buffer]
    const child = Number(told.toString())
    assert.ok(isThere(child))
    parent.kill(signal)
    while (isThere(child)) await wait(20)
  }
})

test('a process that works for nobody goes on', async () => {
  const alone = run(`
    import { endWithParent } from ${watch}
    endWithParent()
    console.log('done')`)
  assert.deepEqual(await once(alone, 'exit'), [0, null])
})
