/**
 * The folder that a studio works in. Its processes run in it, so that what they record of each other are short relative
 * names (`runs/dpok-1`) and never where the folder lies.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writing } from '../files.ts'
import { putBack } from './backup/put-back.ts'
import { RunName } from './schemas/basics.ts'

export interface Workspace {
  /** Absolute. */
  readonly folder: string
  /** Last part of the folder. */
  readonly name: string
  /** Absolute path of something inside. */
  at(...names: readonly string[]): string
}

/** Where run folders lie, relative to the workspace. */
export const runsName = 'runs'
/** Where LoRA files lie that somebody has brought, relative to the workspace. */
export const lorasName = 'loras'
/** Where checkpoints lie that somebody has put there, relative to the workspace. */
export const modelsName = 'models'
/** Records of downloads, relative to the workspace. */
export const fetchesName = 'fetches'
/** What every workspace has; somebody may have put one on another disk, and left a link to it. */
export const workspaceFolders = [runsName, lorasName, modelsName, fetchesName, 'run-notes', 'jobs', 'prompts', 'uploads', 'compare'] // prettier-ignore
/** A run as the settings of a stage name it. */
export const runPath = (name: string) => `${runsName}/${name}`
/** The name of a run by its path; anything else by its last part. */
export const runNameOf = (path: string) => basename(path)

const project = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Makes it where there is none, unless a restore was killed that had put it aside.
 *
 * @throws {FileError} the folder cannot be written
 */
export function openWorkspace(folder: string): Workspace {
  const whole = resolve(folder)
  putBack(whole)
  for (const name of workspaceFolders) {
    writing(join(whole, name), () => mkdirSync(join(whole, name), { recursive: true }))
  }
  return { folder: whole, name: basename(whole), at: (...names) => join(whole, ...names) }
}

/** `dpok-1`, or the first number that no run has or had, and none of `taken`. */
export function freeRunName({ at }: Workspace, base: string, taken: ReadonlySet<string> = new Set()): string {
  for (let number = 1; ; number++) {
    const name = `${base}-${number}`
    if (!taken.has(name) && !isTakenName({ at }, name)) return name
  }
}

/** A run has it, or something was noted of a run that had it. */
export const isTakenName = ({ at }: Pick<Workspace, 'at'>, name: string): boolean =>
  existsSync(at(runsName, name)) || existsSync(at('run-notes', `${name}.json`))

/** Names of all run folders. */
export const runNames = ({ at }: Workspace): string[] =>
  readdirSync(at(runsName), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && RunName.safeParse(entry.name).success)
    .map(({ name }) => name)

/** What a process said, without the places of this machine. */
export const withoutPlaces = ({ folder }: Workspace, text: string): string =>
  text.replaceAll(`${folder}/`, '').replaceAll(folder, '.').replaceAll(project, '')
