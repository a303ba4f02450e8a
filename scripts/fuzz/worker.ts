/** Tries inputs in a process of its own, which may crash, hang or run out of memory: `watch.ts` looks on. */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { readers } from './readers.ts'
import { tryInputs } from './try-inputs.ts'
import type { Work } from './watch.ts'

process.once('message', ({ name, seed, from, to, folder, place }: Work) => {
  const reader = readers.find((one) => one.name === name)!
  const progress = openSync(place, 'w')
  const number = Buffer.alloc(8)
  process.chdir(folder)
  // What the readers tell beside their errors.
  process.stderr.write = () => true
  const trial = { seed, from, to, folder: join(folder, 'trial') }
  const onInput = (input: number) => {
    number.writeDoubleLE(input)
    writeSync(progress, number, 0, 8, 0)
  }
  void tryInputs(reader, { ...trial, onInput }).then((findings) => {
    process.send?.(findings, () => process.exit())
  })
})
process.once('disconnect', () => process.exit())
