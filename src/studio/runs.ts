/** The finished runs of a workspace. A manifest is written once, so each is read once. */
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { FormatError, StudioError } from '../errors.ts'
import { readRun, type Manifest } from '../run.ts'
import { runNames, runsName, type Workspace } from './workspace.ts'

export interface StudioRun {
  readonly name: string
  readonly manifest: Manifest
  readonly config: Readonly<Record<string, unknown>>
}

/** Stages whose runs are of a kind. */
export const stagesOf = {
  round: ['images generate', 'images upload'],
  reward: ['reward train'],
  policy: ['policy reward-weighted', 'policy dpok'],
  report: ['report'],
} as const satisfies Readonly<Record<string, readonly string[]>>
export type RunKind = keyof typeof stagesOf

/** Runs of comparisons are named so; nothing else is. */
export const comparisonPrefix = 'compare-'

const Uncertainties = z.record(z.string(), z.number().nonnegative())

export class RunLibrary {
  readonly #workspace: Workspace
  readonly #read = new Map<string, StudioRun>()
  #unsure: { readonly name: string; readonly byImage: ReadonlyMap<string, number> | undefined } | undefined

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  /** Oldest first. A run whose manifest is broken is as good as none. */
  all(): StudioRun[] {
    const runs = runNames(this.#workspace).flatMap((name) => this.#open(name) ?? [])
    return runs.sort((a, b) => a.manifest.finishedAt.localeCompare(b.manifest.finishedAt))
  }

  /** Oldest first; the images of comparisons are no round. */
  ofKind(kind: RunKind): StudioRun[] {
    const stages: readonly string[] = stagesOf[kind]
    return this.all().filter(
      ({ name, manifest }) =>
        stages.includes(manifest.stage) && !(kind === 'round' && name.startsWith(comparisonPrefix)),
    )
  }

  /** @throws {StudioError} there is no such run of this kind */
  get(kind: RunKind, name: string): StudioRun {
    const run = this.ofKind(kind).find((one) => one.name === name)
    if (run !== undefined) return run
    throw new StudioError(404, 'not-found', {
      where: kind,
      expected: `a ${kind} of this studio`,
      received: 'an unknown name',
      remedy: 'choose one of the list',
    })
  }

  /**
   * How unsure the newest reward is of images, by their ids; none where it does not tell. Written by `reward train` as
   * `uncertainties.json`: {image: standard deviation of an ensemble's scores}.
   */
  uncertainties(): ReadonlyMap<string, number> | undefined {
    const name = this.ofKind('reward').at(-1)?.name
    if (name === undefined) return undefined
    if (this.#unsure?.name !== name) {
      const file = this.#workspace.at(runsName, name, 'uncertainties.json')
      const values = existsSync(file) ? Uncertainties.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
      this.#unsure = { name, byImage: values && new Map(Object.entries(values)) }
    }
    return this.#unsure.byImage
  }

  #open(name: string): StudioRun | undefined {
    const known = this.#read.get(name)
    const folder = this.#workspace.at(runsName, name)
    if (known !== undefined && existsSync(folder)) return known
    if (!existsSync(this.#workspace.at(runsName, name, 'manifest.json'))) return undefined
    try {
      const config = JSON.parse(readFileSync(this.#workspace.at(runsName, name, 'config.json'), 'utf8')) as object
      const run = { name, manifest: readRun(folder), config: { ...config } }
      this.#read.set(name, run)
      return run
    } catch (error) {
      if (error instanceof FormatError || error instanceof SyntaxError) return undefined
      throw error
    }
  }
}
