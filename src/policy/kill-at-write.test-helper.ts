/** Preloaded: kills the process by SIGKILL before its n-th change of a file, n in KILL_AT; of an append it does half. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

let left = Number(process.env.KILL_AT)
const changes = fs as unknown as Record<string, (...given: unknown[]) => unknown>
for (const name of ['linkSync', 'mkdirSync', 'renameSync', 'rmSync', 'rmdirSync', 'writeFileSync', 'appendFileSync']) {
  const original = changes[name]
  changes[name] = (...given) => {
    if (left-- === 0) {
      const [file, content] = given as [string, string | Buffer]
      if (name === 'appendFileSync') original(file, content.slice(0, content.length / 2))
      process.kill(process.pid, 'SIGKILL')
    }
    return original(...given)
  }
}
syncBuiltinESMExports()
process.on('exit', () => process.stdout.write(String(Number(process.env.KILL_AT) - left)))
