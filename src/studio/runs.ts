/** The finished runs of a workspace. A manifest is written once, so each is read once. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { StudioError } from '../errors.ts'
import { uncertaintiesName } from '../run-files.ts'
import { configName, manifestName } from '../run-folder.ts'
import { readRun, type Manifest } from '../run.ts'
import { factsOf, type RunKind } from '../stages.ts'
import type { RunNotes } from './run-notes.ts'
import { runNames, runsName, type Workspace } from './workspace.ts'
import { readBytes, readJson, whatWorks, type Broken } from './workspace-files.ts'

export interface StudioRun {
  readonly name: string
  readonly manifest: Manifest
  readonly config: Readonly<Record<string, unknown>>
}

/** Runs of comparisons are named so; nothing else is. */
export const comparisonPrefix = 'compare-'

const Config = z.record(z.string(), z.unknown())
const Uncertainties = z.record(z.string(), z.number().nonnegative())

export class RunLibrary {
  readonly #workspace: Workspace
  readonly #notes: RunNotes
  readonly #read = new Map<string, StudioRun>()
  #unsure: { readonly name: string; readonly byImage: ReadonlyMap<string, number> | undefined } | undefined

  constructor(workspace: Workspace, notes: RunNotes) {
    this.#workspace = workspace
    this.#notes = notes
  }

  /** Oldest first, archived ones too. A run whose manifest is broken is as good as none: see {@link broken}. */
  all(): StudioRun[] {
    return this.#look().made.sort((a, b) => a.manifest.finishedAt.localeCompare(b.manifest.finishedAt))
  }

  /** Finished runs that cannot be read. */
  broken(): Broken[] {
    return this.#look().broken
  }

  #look() {
    const there = new Set(runNames(this.#workspace))
    for (const name of this.#read.keys()) if (!there.has(name)) this.#read.delete(name)
    const finished = [...there].filter(
      (name) => this.#read.has(name) || existsSync(this.#workspace.at(runsName, name, manifestName)),
    )
    return whatWorks(
      finished.map((name) => ({ name })),
      ({ name }) => this.#open(name),
    )
  }

  /** {@link everyOfKind} without those that are archived. */
  ofKind(kind: RunKind): StudioRun[] {
    return this.everyOfKind(kind).filter(({ name }) => !this.isArchived(name))
  }

  isArchived = (name: string): boolean => this.#notes.isArchived(name)

  /** Oldest first; the images of comparisons are no round. */
  everyOfKind(kind: RunKind): StudioRun[] {
    return this.all().filter(
      ({ name, manifest }) =>
        factsOf(manifest.stage)?.kind === kind && !(kind === 'round' && name.startsWith(comparisonPrefix)),
    )
  }

  /** An archived one as well. @throws {StudioError} there is no such run of this kind */
  get(kind: RunKind, name: string): StudioRun {
    const run = this.everyOfKind(kind).find((one) => one.name === name)
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
   * {@link uncertaintiesName}: {image: standard deviation of an ensemble's scores}.
   */
  uncertainties(): ReadonlyMap<string, number> | undefined {
    const name = this.ofKind('reward').at(-1)?.name
    if (name === undefined) return undefined
    if (this.#unsure?.name !== name) {
      this.#unsure = { name, byImage: this.#uncertaintiesOf(name) }
    }
    return this.#unsure.byImage
  }

  /** Without them images are asked about in another order, which is no reason to ask nothing. */
  #uncertaintiesOf(name: string): ReadonlyMap<string, number> | undefined {
    const file = this.#workspace.at(runsName, name, uncertaintiesName)
    if (!existsSync(file)) return undefined
    const [values] = whatWorks([{ name }], () => readJson(this.#workspace, file, Uncertainties)).made
    return values && new Map(Object.entries(values))
  }

  /** @throws {FormatError} its manifest or its settings are broken */
  #open(name: string): StudioRun {
    const known = this.#read.get(name)
    if (known !== undefined) return known
    const [manifest, config] = [manifestName, configName].map((file) => this.#workspace.at(runsName, name, file))
    readBytes(this.#workspace, manifest)
    const run = {
      name,
      manifest: readRun(this.#workspace.at(runsName, name)),
      config: readJson(this.#workspace, config, Config),
    }
    this.#read.set(name, run)
    return run
  }
}
