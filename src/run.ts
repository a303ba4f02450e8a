/**
 * A run folder: what one stage of the flow wrote, and from what.
 *
 * - `config.json` is written first and `manifest.json` last. A folder with a manifest is finished and never written again;
 *   one with the config alone is unfinished, and only `--resume` with the same settings goes on with it.
 * - While a process writes there, `run.lock` names it.
 * - What an earlier process made is never removed here, nor what others laid there. A process that fails takes back what it
 *   has made itself, and only where it had begun the folder and had made nothing yet that is worth keeping.
 */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join, normalize, sep } from 'node:path'
import { z } from 'zod'
import { record, version } from '../scripts/setup/places.mjs'
import { FileError, FormatError, RunInUseError } from './errors.ts'
import { writeFileAtomic } from './files.ts'
import { placeOfThis } from './place-in-group.ts'
import {
  configName,
  expectFree,
  makeFolder,
  manifestName,
  readJson,
  removeIfEmpty,
  removePartial,
} from './run-folder.ts'
import { lockName, takeLock } from './run-lock.ts'
import { RunMetrics, type MetricsRow } from './run-metrics.ts'
import { changesName, readChanges, recordChange, type SettingsChange } from './settings-changes.ts'

export { writeFileAtomic, writing } from './files.ts'

const Manifest = z.object({
  schema: z.literal(1),
  stage: z.string(),
  /** Role → run folder or file that this run was made from. */
  parents: z.record(z.string(), z.string()),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Wall-clock time of the process that finished the run. */
  seconds: z.number(),
  /** Of Attune. */
  version: z.string(),
  /** Version of libtorch and where it came from; null where set-up has not run. */
  torch: z.object({ version: z.string(), how: z.string() }).nullable(),
  results: z.record(z.string(), z.unknown()),
  /** Files at the top of the folder, with SHA-256 up to 64 MB; folders (`images/`) by count and size. */
  files: z.array(
    z.object({ file: z.string(), bytes: z.number(), sha256: z.string().optional(), count: z.number().optional() }),
  ),
})
/** What `manifest.json` says about a finished run. */
export type Manifest = z.infer<typeof Manifest>

/** Config field of every stage that can go on with an unfinished run; its `out` is the run folder. */
export const resumeField = z.boolean().default(false).describe('Goes on with an unfinished run of the same settings.')

/** Which run is started, and with what. */
export interface RunOptions {
  readonly folder: string
  /** The command that makes the run: `reward train`. */
  readonly stage: string
  /** Recorded as `config.json`, which is a valid `--config` for the same stage. */
  readonly config: Readonly<Record<string, unknown>>
  readonly parents?: Readonly<Record<string, string>>
  /** Go on with an unfinished run of the same settings, where there is one. Stages that cannot leave it out. */
  readonly resume?: boolean
  /** Settings that may be others when an unfinished run goes on. */
  readonly changeable?: readonly string[]
  /** Settings that the run chooses where they are null: what it has chosen holds when it goes on without them. */
  readonly chosen?: readonly string[]
}

/** A run being written. Leaving its `using` block without `finish` is a failure. */
export interface Run extends Disposable {
  readonly folder: string
  /** An earlier process began this run. */
  readonly resumed: boolean
  /** Path of a file or folder of this run; only what was named here is removed when the run fails. */
  path(name: string): string
  /**
   * Records SHA-256 of what the results depend on beside the settings, by names as a reader knows them.
   *
   * @throws {RunInUseError} the run is resumed, and one of these was another when it began
   */
  dependsOn(inputs: Readonly<Record<string, string>>): void
  /** The settings that it chooses, as they are given or as an earlier process has chosen them; else null. */
  readonly open: Readonly<Record<string, unknown>>
  /** Records what was chosen in `config.json`. */
  choose(values: Readonly<Record<string, unknown>>): void
  /** From now on a failure leaves the folder, to be resumed. */
  keep(): void
  /** Appends one row to `metrics.jsonl`, with the UTC time as `at`, and its numbers to an event file of TensorBoard. */
  metrics(row: MetricsRow): void
  /** Keeps the rows of metrics up to a step: see `RunMetrics.rewind`. */
  rewind(step: number): Readonly<Record<string, unknown>>
  /** Puts the rows of metrics on the disk: before a checkpoint that counts on them. */
  sync(): void
  /** Takes over what is changeable and was changed: into `config.json`, and with the step into `settings-changes.jsonl`. */
  adopt(step: number): void
  /** All changes of settings since the run began, for its results; nothing where there are none. */
  changes(): { readonly settingsChanges?: readonly SettingsChange[] }
  /** Writes `manifest.json`; the run is complete. @param scratch files and folders that only an unfinished run needs: they go then */
  finish(results?: Readonly<Record<string, unknown>>, scratch?: readonly string[]): Manifest
  /** Gives the folder up: it stays where there is something to resume, else what was written goes. */
  fail(): void
}

/** SHA-256 of what the results depend on beside the settings. */
export const inputsName = 'inputs.json'
const hashedUpToBytes = 64e6

/**
 * Creates a run folder and takes its lock; the lock of a process that has ended is taken over.
 *
 * @throws {RunInUseError} another process writes it, it holds a finished run, an unfinished one that is not to be resumed,
 *   foreign files, or another config's run
 * @throws {FileError} the folder cannot be written
 */
export function startRun(options: RunOptions): Run {
  if (placeOfThis().rank > 0) return followRun(options)
  const { folder, stage, parents = {}, resume, chosen = [] } = options
  const config = JSON.parse(JSON.stringify({ stage, ...options.config })) as Record<string, unknown>
  const inFolder = (name: string) => join(folder, name)
  const began = Date.now()
  makeFolder(folder)
  takeLock(folder)
  const unlock = () => rmSync(inFolder(lockName), { force: true })
  const writeConfig = () => writeFileAtomic(inFolder(configName), `${JSON.stringify(config, null, 2)}\n`)
  /** Its time is that of the beginning. */
  const rewriteConfig = () => {
    const { mtime } = statSync(inFolder(configName))
    writeConfig()
    utimesSync(inFolder(configName), mtime, mtime)
  }

  let resumed: boolean
  let changed: SettingsChange['changed'] = {}
  try {
    if (resume) Object.assign(config, chosenBefore(folder, config, chosen))
    const unfinished = expectFree(folder, config, resume, options.changeable)
    resumed = unfinished !== undefined
    changed = unfinished ?? {}
    removePartial(folder)
    if (!resumed) writeConfig()
  } catch (error) {
    unlock()
    removeIfEmpty(folder)
    throw error
  }

  const metrics = new RunMetrics(folder, resumed)
  if (resumed) metrics.rewind(Infinity)
  let isOpen = true
  let kept = resumed
  const made = new Set([configName])
  const run: Run = {
    folder,
    resumed,
    path(name) {
      const [top] = normalize(name).split(sep)
      if (top === '' || top === '.' || top === '..') {
        throw new FileError({
          where: `${folder} ${name}`,
          expected: 'a path inside the run folder',
          received: 'one outside of it',
          remedy: 'use a relative path',
        })
      }
      made.add(top)
      return inFolder(name)
    },
    dependsOn(inputs) {
      const file = run.path(inputsName)
      if (resumed && existsSync(file)) expectSameInputs(folder, file, inputs)
      else writeFileAtomic(file, `${JSON.stringify(inputs, null, 2)}\n`)
    },
    open: Object.fromEntries(chosen.map((field) => [field, config[field] ?? null])),
    choose(values) {
      Object.assign(config, values)
      rewriteConfig()
    },
    keep() {
      kept = true
    },
    metrics: (row) => metrics.append(row),
    rewind: (step) => metrics.rewind(step),
    sync: () => metrics.sync(),
    adopt(step) {
      if (Object.keys(changed).length === 0) return
      const change = { step, at: new Date().toISOString(), changed }
      recordChange(run.path(changesName), change)
      rewriteConfig()
      changed = {}
    },
    changes() {
      const settingsChanges = readChanges(inFolder(changesName))
      return settingsChanges.length === 0 ? {} : { settingsChanges }
    },
    finish(results = {}, scratch = []) {
      metrics.sync()
      const manifest: Manifest = {
        schema: 1,
        stage,
        parents: { ...parents },
        startedAt: statSync(inFolder(configName)).mtime.toISOString(),
        finishedAt: new Date().toISOString(),
        seconds: (Date.now() - began) / 1000,
        version,
        torch: torchVersion(),
        results: { ...results },
        files: listFiles(folder).filter(({ file }) => !scratch.includes(file.replace(/\/$/, ''))),
      }
      writeFileAtomic(inFolder(manifestName), `${JSON.stringify(manifest, null, 2)}\n`)
      isOpen = false
      for (const name of scratch) rmSync(inFolder(name), { recursive: true, force: true })
      unlock()
      return manifest
    },
    fail() {
      if (!isOpen) return
      isOpen = false
      if (!kept)
        for (const name of [...made, ...metrics.files]) rmSync(inFolder(name), { recursive: true, force: true })
      unlock()
      removeIfEmpty(folder)
    },
    [Symbol.dispose]() {
      run.fail()
    },
  }
  return run
}

/** The run as the processes of a group see it that are not the first: they do the same work, and write nothing. */
function followRun({ folder, stage, parents = {}, config, chosen = [] }: RunOptions): Run {
  const began = Date.now()
  const nothing = () => undefined
  return {
    folder,
    resumed: false,
    path: (name) => join(folder, name),
    dependsOn: nothing,
    open: Object.fromEntries(chosen.map((field) => [field, config[field] ?? null])),
    choose: nothing,
    keep: nothing,
    metrics: nothing,
    rewind: () => ({}),
    sync: nothing,
    adopt: nothing,
    changes: () => ({}),
    finish: (results = {}) => ({
      schema: 1,
      stage,
      parents: { ...parents },
      startedAt: new Date(began).toISOString(),
      finishedAt: new Date().toISOString(),
      seconds: (Date.now() - began) / 1000,
      version,
      torch: torchVersion(),
      results: { ...results },
      files: [],
    }),
    fail: nothing,
    [Symbol.dispose]: nothing,
  }
}

/**
 * The manifest of a finished run.
 *
 * @throws {FileError} there is no run, or it is not finished
 * @throws {FormatError} the manifest is broken
 */
export function readRun(folder: string): Manifest {
  const file = join(folder, manifestName)
  if (!existsSync(file)) {
    const begun = existsSync(join(folder, configName))
    throw new FileError({
      where: folder,
      expected: 'a finished run (with a manifest.json)',
      received: begun ? 'a run that was not finished' : existsSync(folder) ? 'a folder without one' : 'no such folder',
      remedy: begun
        ? 'let the stage that writes it end, or go on with it by --resume'
        : 'check the path, or run that stage first',
    })
  }
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    content = cause
  }
  const parsed = Manifest.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FormatError({
    where: `${file} ${issue.path.join('.')}`.trim(),
    expected: 'the manifest of a run (schema 1)',
    received: content instanceof Error ? content.message : issue.message,
    remedy: 'run that stage again',
    cause: parsed.error,
  })
}

/** Of settings that are not given, what an unfinished run has chosen. */
function chosenBefore(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  chosen: readonly string[],
): Record<string, unknown> {
  const recorded = readJson(join(folder, configName)) ?? {}
  const open = chosen.filter((field) => config[field] === null && (recorded[field] ?? null) !== null)
  return Object.fromEntries(open.map((field) => [field, recorded[field]]))
}

function expectSameInputs(folder: string, file: string, inputs: Readonly<Record<string, string>>): void {
  const recorded = readJson(file) ?? {}
  const changed = Object.keys(inputs).find((name) => recorded[name] !== inputs[name])
  if (changed === undefined) return
  throw new RunInUseError({
    where: folder,
    expected: `the ${changed} with which this run began`,
    received: 'another',
    remedy: 'restore it, or begin again in another folder',
  })
}

function listFiles(folder: string): Manifest['files'] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.name.startsWith(lockName)) return []
    if (entry.isFile()) {
      const { size } = lstatSync(path)
      const sha256 = size <= hashedUpToBytes ? sha256Of(path) : undefined
      return [{ file: entry.name, bytes: size, ...(sha256 === undefined ? {} : { sha256 }) }]
    }
    if (!entry.isDirectory()) return []
    const inside = readdirSync(path, { recursive: true, withFileTypes: true }).filter((inner) => inner.isFile())
    const bytes = inside.reduce((sum, inner) => sum + lstatSync(join(inner.parentPath, inner.name)).size, 0)
    return [{ file: `${entry.name}/`, bytes, count: inside.length }]
  })
}

const sha256Of = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

function torchVersion(): Manifest['torch'] {
  if (!existsSync(record)) return null
  const { torchVersion: version, how } = JSON.parse(readFileSync(record, 'utf8')) as {
    torchVersion: string
    how: string
  }
  return { version, how }
}
