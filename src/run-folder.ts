/** The folder of a run before the run begins and after it has failed: who may write there, and what is cleared away. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { RunInUseError } from './errors.ts'
import { partialName, sync, writing } from './files.ts'
import { lockName, removeStaleLocks } from './run-lock.ts'
import type { SettingsChange } from './settings-changes.ts'

/** Written first: the settings of the run. */
export const configName = 'config.json'
/** Written last: what the run made. */
export const manifestName = 'manifest.json'

/**
 * The unfinished run to go on with, where there is one.
 *
 * @param resume undefined where the stage cannot go on with one
 * @param changeable settings that may be others then
 * @returns undefined where there is none, else those of these settings that are others
 * @throws {RunInUseError} a finished run, an unfinished one that is not to be resumed or has other settings, other files
 */
export function expectFree(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  resume: boolean | undefined,
  changeable: readonly string[] = [],
): SettingsChange['changed'] | undefined {
  const refuse = (received: string, remedy: string, expected = 'a new or empty folder') =>
    new RunInUseError({ where: folder, expected, received, remedy })
  if (existsSync(join(folder, manifestName))) {
    throw refuse('one that holds a finished run', 'choose another folder, or remove this one')
  }
  const recorded = readJson(join(folder, configName))
  if (typeof recorded?.stage === 'string') {
    const unfinished = `one with an unfinished run of ${recorded.stage}`
    if (recorded.stage !== config.stage) throw refuse(unfinished, 'choose another folder, or remove this one')
    if (resume === undefined) throw refuse(`${unfinished}, which cannot go on`, 'remove it, or choose another folder')
    if (!resume) throw refuse(unfinished, 'go on with it by --resume, choose another folder, or remove this one')
    const changed = differences(recorded, config)
    const refused = changed.filter(([field]) => !changeable.includes(field))
    if (refused.length === 0) return Object.fromEntries(changed)
    throw refuse(
      `one with other settings (${inWords(refused)})`,
      'pass its config.json as --config, or choose another folder',
      'an unfinished run with the same settings',
    )
  }
  const foreign = readdirSync(folder).filter((name) => name !== lockName && !partialName.test(name))
  if (foreign.length === 0) return undefined
  throw refuse(`one with other files (${foreign.slice(0, 3).join(', ')})`, 'choose another folder')
}

type Difference = [field: string, values: readonly [before: unknown, now: unknown]]

/** Fields that differ, with both values. What an earlier version did not know of is as it was there: off, or nothing. */
function differences(recorded: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>) {
  const fields = [...new Set([...Object.keys(recorded), ...Object.keys(given)])]
  return fields
    .map((field): Difference => [field, [recorded[field], given[field]]])
    .filter(([, [before, now]]) => !isDeepStrictEqual(before, now) && !(before === undefined && isOff(now)))
}

const isOff = (value: unknown) => value === false || value === null

/** `klWeight 0.1, not 0.01` */
function inWords(others: readonly Difference[]): string {
  const shown = others
    .slice(0, 3)
    .map(([field, values]) => [field, ...values.map((value) => JSON.stringify(value) ?? 'nothing')])
    .map(([field, before, now]) => `${field} ${before}, not ${now}`)
  return [...shown, ...(others.length > shown.length ? [`${others.length - shown.length} more`] : [])].join('; ')
}

/** Undefined where it is not there or no JSON. */
export function readJson(file: string): Record<string, unknown> | undefined {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8'))) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Makes a folder and those above it, so that they last. */
export function makeFolder(folder: string): void {
  const first = writing(folder, () => mkdirSync(folder, { recursive: true }))
  if (first === undefined) return
  for (let made = folder; ; made = dirname(made)) {
    sync(dirname(made))
    if (made === first || dirname(made) === made) return
  }
}

/** What a killed process had not written whole; no name of a person's file looks like that. */
export function removePartial(folder: string): void {
  removeStaleLocks(folder)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !partialName.test(entry.name) || entry.name.startsWith(lockName)) continue
    rmSync(join(entry.parentPath, entry.name), { force: true })
  }
}

/** Leaves it where something is in it. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Not empty.
  }
}
