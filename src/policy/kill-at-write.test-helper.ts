/**
 * Changes of files, by which a process can be ended at any of them. Preloaded with KILL_AT it kills the process by SIGKILL
 * before its change of this number, from 0 on, amid it where it appends; a process that comes to its end tells how many
 * there were.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const names = ['linkSync', 'mkdirSync', 'renameSync', 'rmSync', 'rmdirSync', 'writeFileSync', 'appendFileSync'] as const

/** From now on `hear` is called before each change of a file, or amid it where half of it was appended. */
export function beforeFileChanges(hear: () => void): void {
  const changes = fs as unknown as Record<string, (...given: unknown[]) => unknown>
  for (const name of names) {
    const original = changes[name]
    changes[name] = (...given) => {
      if (name !== 'appendFileSync') {
        hear()
        return original(...given)
      }
      const [file, content] = given as [string, string | Buffer]
      const half = Math.floor(content.length / 2)
      original(file, content.slice(0, half))
      hear()
      return original(file, content.slice(half))
    }
  }
  syncBuiltinESMExports()
}

const { KILL_AT: killAt } = process.env
if (killAt !== undefined) {
  let done = 0
  beforeFileChanges(() => {
    if (done++ === Number(killAt)) process.kill(process.pid, 'SIGKILL')
  })
  process.on('exit', () => process.stdout.write(String(done)))
}
