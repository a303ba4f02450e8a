/** Tries inputs in a process of its own, which may crash, hang or run out of memory: `watch.ts` looks on. */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { readers } from './readers.ts'
import { tryInputs } from './try-inputs.ts'
import type { Told, Work } from './watch.ts'

process.once('message', ({ shares, seed, folder, place }: Work) => {
  const progress = openSync(place, 'w')
  const numbers = Buffer.alloc(16)
  process.chdir(folder)
  // What the readers tell beside their errors.
  process.stderr.write = () => true
  const tell = (told: Told) => new Promise<void>((sent) => process.send?.(told, () => sent()))
  const work = async () => {
    for (const [at, { name, from, to }] of shares.entries()) {
      const reader = readers.find((one) => one.name === name)!
      const onInput = (number: number) => {
        numbers.writeDoubleLE(at)
        numbers.writeDoubleLE(number, 8)
        writeSync(progress, numbers, 0, 16, 0)
      }
      await tell({
        findings: await tryInputs(reader, { seed, from, to, folder: join(folder, `trial-${at}`), onInput }),
      })
    }
    process.exit()
  }
  void work()
})
process.once('disconnect', () => process.exit())
