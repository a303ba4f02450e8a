/** Preloaded: kills the process by SIGKILL before its n-th change of a file, n in KILL_AT; of an append it does half. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'

let left = Number(process.env.KILL_AT)
const names = ['appendFileSync', 'linkSync', 'mkdirSync', 'renameSync', 'rmSync', 'rmdirSync', 'writeFileSync']
for (const name of names) {
  const original = fs[name]
  fs[name] = (...args) => {
    if (left-- === 0) {
      if (name === 'appendFileSync') original(args[0], args[1].slice(0, args[1].length / 2))
      process.kill(process.pid, 'SIGKILL')
    }
    return original(...args)
  }
}
syncBuiltinESMExports()
process.on('exit', () => process.stdout.write(String(Number(process.env.KILL_AT) - left)))
