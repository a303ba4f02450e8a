/** Gives inputs to a reader and looks at what it does: a complaint of ours is right, and so is an answer. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '../../src/errors.ts'
import { inputOf } from './inputs.ts'
import type { Reader } from './readers/reader.ts'

export interface Finding {
  readonly reader: string
  readonly seed: number
  readonly number: number
  readonly what: string
}

export interface Trial {
  /** Input numbers: `from` to before `to`. */
  readonly from: number
  readonly to: number
  readonly seed: number
  /** A folder of this trial alone; the reader works in one below it, and nothing else may appear here. */
  readonly folder: string
  /** Hears of each number before it is tried. */
  readonly onInput?: (number: number) => void
}

/** @returns what no reader should do; a crash, a hang or too much memory only the watcher sees */
export async function tryInputs(reader: Reader, { from, to, seed, folder, onInput }: Trial): Promise<Finding[]> {
  const findings: Finding[] = []
  const inside = join(folder, 'inside')
  mkdirSync(inside, { recursive: true })
  const sound = await reader.sound()
  const read = await reader.open(inside)
  for (let number = from; number < to; number++) {
    onInput?.(number)
    const found = (what: string) => findings.push({ reader: reader.name, seed, number, what })
    try {
      await read(inputOf(reader, sound, seed, number))
    } catch (error) {
      if (!(error instanceof AttuneError))
        found(error instanceof Error ? (error.stack ?? error.message) : String(error))
      else if (error.exitCode === 1) found(`a fault of ours: ${error.stack}`)
      else if (error.message.length > 5000) found('a complaint of more than 5000 characters')
    }
    if (isPolluted()) {
      found('a prototype was changed')
      break
    }
    if (number % 16 === 0) {
      const escaped = readdirSync(folder).filter((name) => name !== 'inside')
      for (const name of escaped) {
        found(`a file outside: ${name}`)
        rmSync(join(folder, name), { recursive: true })
      }
    }
  }
  return findings
}

const before = [Object.prototype, Array.prototype, Function.prototype].map((one) => Reflect.ownKeys(one).length)
const isPolluted = () =>
  [Object.prototype, Array.prototype, Function.prototype].some((one, i) => Reflect.ownKeys(one).length !== before[i])
