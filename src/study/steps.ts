/**
 * What a study computes: commands of Attune and what they are made from. A step is named by all that its result depends on,
 * so equal steps of several arms, seeds and studies are one, and a step whose settings stay is computed once for ever.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hashOfJson } from '../content-hash.ts'
import { writeFileAtomic } from '../files.ts'

/** A file or folder that a step is made from; equal keys mean equal contents. */
export interface Source {
  readonly key: string
  readonly path: string
}

/** `name=path` in the settings of a command. */
interface Named {
  readonly name: string
  readonly source: Source
}
type Value = string | number | boolean | null
type Setting = Value | Source | readonly (Value | Source | Named)[]
/** Of a command, by the names of its config; sources in place of paths. */
export type StepSettings = Readonly<Record<string, Setting>>

/** What starts a step: a command of Attune, or a file of the study. */
export type Program = { readonly command: string } | { readonly script: URL }

export interface Step extends Source {
  readonly folder: string
  /** For people: `DPOK, KL weight 0.01, seed 3`. */
  readonly title: string
  readonly program: Program
  readonly needs: readonly Step[]
  /** A guess of its seconds on one core, for the time that is left. */
  readonly guess: number
  /** Whether it writes a run folder, by the rules of `--resume`, with which a second process goes on where the first one broke off. */
  readonly isRun: boolean
  /** Its settings with paths, as a command reads them. */
  readonly config: Readonly<Record<string, unknown>>
}

export interface StepOptions {
  readonly title: string
  readonly guess: number
  /** The setting that names what is written, and its name in the folder of the step. */
  readonly writes?: readonly [setting: string, name: string]
}

const Done = z.strictObject({ title: z.string(), seconds: z.number().nonnegative() })
const doneName = 'done.json'

/** The steps of a study, each in a folder of its own below one folder. */
export class Steps {
  readonly #folder: string
  readonly #byKey = new Map<string, Step>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** All that were asked for, in the order of asking: what a step needs comes before it. */
  get all(): readonly Step[] {
    return [...this.#byKey.values()]
  }

  /** Those that are given and all that they need, in the order of asking. */
  withNeeds(given: Iterable<Step>): readonly Step[] {
    const found = new Set(given)
    // A set is gone through with what is added on the way.
    for (const { needs } of found) for (const need of needs) found.add(need)
    return this.all.filter((step) => found.has(step))
  }

  add(program: Program, settings: StepSettings, { title, guess, writes = ['out', 'run'] }: StepOptions): Step {
    const name = 'command' in program ? program.command : program.script.pathname.replace(/^.*\/|\.[jt]s$/g, '')
    const key = hashOfJson([name, mapValues(settings, keyOf)]).slice(0, 16)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const folder = join(this.#folder, `${name.replaceAll(' ', '-')}-${key}`)
    const [setting, file] = writes
    const path = join(folder, file)
    const step: Step = {
      ...{ key, path, folder, title, program, guess },
      isRun: setting === 'out' && file === 'run',
      needs: Object.values(settings).flatMap(sourcesOf).filter(isStep),
      config: { ...mapValues(settings, pathOf), [setting]: path },
    }
    this.#byKey.set(key, step)
    return step
  }
}

export const isDone = ({ folder }: Step): boolean => existsSync(join(folder, doneName))

/** Wall-clock seconds of a step that is done. */
export const secondsOf = ({ folder }: Step): number =>
  Done.parse(JSON.parse(readFileSync(join(folder, doneName), 'utf8'))).seconds

/** The file with the settings of a step, which its command reads. */
export function writeConfig({ folder, config }: Step): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'config.json')
  writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`)
  return file
}

export function markDone({ folder, title }: Step, seconds: number): void {
  const done: z.infer<typeof Done> = { title, seconds }
  writeFileAtomic(join(folder, doneName), `${JSON.stringify(done)}\n`)
}

type Part = Value | Source | Named
const isObject = (part: Part): part is Source | Named => typeof part === 'object' && part !== null
const isNamed = (part: Source | Named): part is Named => 'source' in part
const isStep = (source: Source): source is Step => 'program' in source

function sourcesOf(setting: Setting): Source[] {
  const parts: readonly Part[] = Array.isArray(setting) ? setting : [setting as Part]
  return parts.filter(isObject).map((part) => (isNamed(part) ? part.source : part))
}

const partKey = (part: Part) => (!isObject(part) ? part : isNamed(part) ? [part.name, part.source.key] : [part.key])
const partPath = (part: Part) =>
  !isObject(part) ? part : isNamed(part) ? `${part.name}=${part.source.path}` : part.path
const keyOf = (setting: Setting) => (Array.isArray(setting) ? setting.map(partKey) : partKey(setting as Part))
const pathOf = (setting: Setting) => (Array.isArray(setting) ? setting.map(partPath) : partPath(setting as Part))

/** In the order of the names, so that equal settings are equal as JSON. */
const mapValues = <V, W>(record: Readonly<Record<string, V>>, of: (value: V) => W): Record<string, W> =>
  Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((name) => [name, of(record[name])]),
  )
