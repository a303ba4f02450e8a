/**
 * A run folder: what one stage of the flow wrote, and from what. `config.json` is written first and `manifest.json`
 * last, so a folder with a manifest is complete; between the two `run.lock` names the process that writes.
 */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join, normalize, sep } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { FileError, FormatError, RunInUseError } from './errors.ts'
import { writeFileAtomic, writing } from './files.ts'
import { lockName, takeLock } from './run-lock.ts'
import { appendScalars, eventFileName, startEventFile } from './tensorboard.ts'

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

export interface RunOptions {
  readonly folder: string
  /** The command that makes the run: `reward train`. */
  readonly stage: string
  /** Recorded as `config.json`, which is a valid `--config` for the same stage. */
  readonly config: Readonly<Record<string, unknown>>
  readonly parents?: Readonly<Record<string, string>>
  /** The stage keeps checkpoints: a failed or killed run stays, and is never started over unasked. */
  readonly resumable?: boolean
  /** Go on with an unfinished run of the same stage and config, where there is one. */
  readonly resume?: boolean
}

/** A run being written. Leaving its `using` block without `finish` is a failure. */
export interface Run extends Disposable {
  readonly folder: string
  /** An earlier process began this run. */
  readonly resumed: boolean
  /** Path of a file or folder of this run; only what was named here is removed when the run fails. */
  path(name: string): string
  /** Appends one row to `metrics.jsonl`, with the UTC time as `at`, and its numbers to an event file of TensorBoard. */
  metrics(row: Readonly<{ step: number } & Record<string, unknown>>): void
  /** Writes `manifest.json`; the run is complete. */
  finish(results?: Readonly<Record<string, unknown>>): Manifest
  /** Gives the folder up: it stays as it is where the run is resumable, else what was written goes. */
  fail(): void
}

const namesName = 'run.files'
const hashedUpToBytes = 64e6

/**
 * Creates a run folder and takes its lock; the lock of a process that has ended is taken over.
 *
 * @throws {RunInUseError} another process writes it, it holds a finished run, foreign files, or another config's run
 * @throws {FileError} the folder cannot be written
 */
export function startRun(options: RunOptions): Run {
  const { folder, stage, parents = {}, resumable = false, resume = false } = options
  const config = JSON.parse(JSON.stringify({ stage, ...options.config })) as Record<string, unknown>
  const inFolder = (name: string) => join(folder, name)
  const began = Date.now()
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  takeLock(folder)
  const unlock = () => rmSync(inFolder(lockName), { force: true })

  let resumed: boolean
  try {
    resumed = expectFree(folder, config, resumable, resume)
    if (!resumed) {
      removeOwn(folder)
      writeFileAtomic(inFolder('config.json'), `${JSON.stringify(config, null, 2)}\n`)
    } else dropTornRow(inFolder('metrics.jsonl'))
  } catch (error) {
    unlock()
    removeIfEmpty(folder)
    throw error
  }

  let open = true
  let events: string | undefined
  const named = new Set(ownNames(folder))
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
      if (!named.has(top)) {
        named.add(top)
        writing(inFolder(namesName), () => appendFileSync(inFolder(namesName), `${top}\n`))
      }
      return inFolder(name)
    },
    metrics({ step, ...rest }) {
      const at = new Date()
      const row = JSON.stringify({ step, at: at.toISOString(), ...rest })
      writing(inFolder('metrics.jsonl'), () => appendFileSync(inFolder('metrics.jsonl'), `${row}\n`))
      if (events === undefined) {
        const name = eventFileName(readdirSync(folder), at)
        startEventFile((events = run.path(name)), at, resumed ? step : undefined)
      }
      appendScalars(events, at, step, rest)
    },
    finish(results = {}) {
      const manifest: Manifest = {
        schema: 1,
        stage,
        parents: { ...parents },
        startedAt: statSync(inFolder('config.json')).mtime.toISOString(),
        finishedAt: new Date().toISOString(),
        seconds: (Date.now() - began) / 1000,
        version: attuneVersion(),
        torch: torchVersion(),
        results: { ...results },
        files: listFiles(folder),
      }
      writeFileAtomic(inFolder('manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      open = false
      rmSync(inFolder(namesName), { force: true })
      unlock()
      return manifest
    },
    fail() {
      if (!open) return
      open = false
      if (!resumable) removeOwn(folder)
      unlock()
      removeIfEmpty(folder)
    },
    [Symbol.dispose]() {
      run.fail()
    },
  }
  return run
}

/**
 * The manifest of a finished run.
 *
 * @throws {FileError} there is no run, or it is not finished
 * @throws {FormatError} the manifest is broken
 */
export function readRun(folder: string): Manifest {
  const file = join(folder, 'manifest.json')
  if (!existsSync(file)) {
    const begun = existsSync(join(folder, 'config.json'))
    throw new FileError({
      where: folder,
      expected: 'a finished run (with a manifest.json)',
      received: begun ? 'a run that was not finished' : existsSync(folder) ? 'a folder without one' : 'no such folder',
      remedy: begun ? 'let the stage that writes it end, or run it again' : 'check the path, or run that stage first',
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

/** Whether there is an unfinished run to go on with. */
function expectFree(folder: string, config: unknown, resumable: boolean, resume: boolean): boolean {
  const refuse = (received: string, remedy: string) =>
    new RunInUseError({ where: folder, expected: 'a new or empty folder', received, remedy })
  if (existsSync(join(folder, 'manifest.json'))) {
    throw refuse('one that holds a finished run', 'choose another folder, or remove this one')
  }
  const recorded = readConfig(join(folder, 'config.json'))
  const begun = typeof recorded?.stage === 'string'
  const own = new Set([lockName, ...(begun ? ['config.json', 'metrics.jsonl', namesName, ...ownNames(folder)] : [])])
  const foreign = readdirSync(folder).filter((name) => !own.has(name) && !name.endsWith('.partial'))
  if (foreign.length > 0 && !(begun && resume)) {
    throw refuse(`one with other files (${foreign.slice(0, 3).join(', ')})`, 'choose another folder')
  }
  if (!begun || (!resume && !resumable)) return false
  if (!resume) throw refuse('one with an unfinished run', 'resume it, choose another folder, or remove this one')
  if (!isDeepStrictEqual(recorded, config)) {
    throw new RunInUseError({
      where: folder,
      expected: 'an unfinished run with the same settings',
      received: 'one with other settings (see its config.json)',
      remedy: 'pass that config.json as --config, or choose another folder',
    })
  }
  return true
}

function readConfig(file: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function ownNames(folder: string): string[] {
  const file = join(folder, namesName)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

function removeOwn(folder: string): void {
  const partial = readdirSync(folder).filter((name) => name.endsWith('.partial') && !name.startsWith(lockName))
  for (const name of [...ownNames(folder), ...partial, 'metrics.jsonl', namesName, 'config.json']) {
    rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Not empty: what was there before stays.
  }
}

/** A process that was killed while it appended may have left half a row. */
function dropTornRow(file: string): void {
  if (!existsSync(file)) return
  const bytes = readFileSync(file)
  writing(file, () => truncateSync(file, bytes.lastIndexOf(10) + 1))
}

function listFiles(folder: string): Manifest['files'] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const listed = entries.filter(({ name }) => name !== lockName && name !== namesName)
  return listed.map((entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) {
      const { size } = statSync(path)
      const sha256 = size <= hashedUpToBytes ? sha256Of(path) : undefined
      return { file: entry.name, bytes: size, ...(sha256 === undefined ? {} : { sha256 }) }
    }
    const inside = readdirSync(path, { recursive: true, withFileTypes: true }).filter((inner) => inner.isFile())
    const bytes = inside.reduce((sum, inner) => sum + statSync(join(inner.parentPath, inner.name)).size, 0)
    return { file: `${entry.name}/`, bytes, count: inside.length }
  })
}

const sha256Of = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** The version of Attune, for the record. */
export function attuneVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

function torchVersion(): Manifest['torch'] {
  const file = new URL('../build/library.json', import.meta.url)
  if (!existsSync(file)) return null
  const { torchVersion: version, how } = JSON.parse(readFileSync(file, 'utf8')) as { torchVersion: string; how: string }
  return { version, how }
}
