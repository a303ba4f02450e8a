/** Settings of a run that were changed when it went on: `settings-changes.jsonl` in its folder. */
import { existsSync, readFileSync } from 'node:fs'
import { writeFileAtomic } from './files.ts'

export const changesName = 'settings-changes.jsonl'

/** Settings that are others since a step of a run. */
export interface SettingsChange {
  /** Steps that were done before. */
  readonly step: number
  /** ISO 8601, UTC. */
  readonly at: string
  /** By their names; null is a default. */
  readonly changed: Readonly<Record<string, readonly [before: unknown, now: unknown]>>
}

/** All changes so far, the first one first. */
export function readChanges(file: string): SettingsChange[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as SettingsChange)
}

/** @throws {FileError} */
export function recordChange(file: string, change: SettingsChange): void {
  const changes = [...readChanges(file), change]
  writeFileAtomic(file, changes.map((one) => `${JSON.stringify(one)}\n`).join(''))
}
