/**
 * What people have said of runs, beside their folders, which stay as their stages wrote them: a title, and whether a run is
 * archived. Of a deleted one it stays, so that nothing else ever has its name.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../files.ts'
import { RunName, text } from './schemas/basics.ts'
import type { Workspace } from './workspace.ts'
import { readJson, whatWorks } from './workspace-files.ts'

const runNotesName = 'run-notes'

const RunNote = z.object({
  title: text.nullable().default(null),
  archivedAt: z.iso.datetime().nullable().default(null),
  deletedAt: z.iso.datetime().nullable().default(null),
})
export type RunNote = z.infer<typeof RunNote>
const nothing: RunNote = { title: null, archivedAt: null, deletedAt: null }

export class RunNotes {
  readonly #workspace: Workspace
  #read: { readonly stamp: bigint; readonly notes: ReadonlyMap<string, RunNote> } | undefined

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  /** The same map until one changes, whichever process has changed it. One that cannot be read says nothing. */
  all(): ReadonlyMap<string, RunNote> {
    const folder = this.#workspace.at(runNotesName)
    // Every note is renamed into the folder, which changes its time.
    const stamp = statSync(folder, { bigint: true }).mtimeNs
    if (this.#read?.stamp !== stamp) {
      const names = readdirSync(folder).flatMap((file) => {
        const name = file.endsWith('.json') ? file.slice(0, -'.json'.length) : ''
        return RunName.safeParse(name).success ? [{ name }] : []
      })
      const { made } = whatWorks(names, ({ name }): [string, RunNote] => [
        name,
        readJson(this.#workspace, this.#file(name), RunNote),
      ])
      this.#read = { stamp, notes: new Map(made) }
    }
    return this.#read.notes
  }

  of = (name: string): RunNote => this.all().get(name) ?? nothing
  isArchived = (name: string): boolean => this.of(name).archivedAt !== null
  isDeleted = (name: string): boolean => this.of(name).deletedAt !== null

  /** @throws {FileError} the disk is full, or the workspace cannot be written */
  change(name: string, change: Partial<RunNote>): void {
    const note = { ...this.of(name), ...change }
    if (Object.values(note).every((value) => value === null)) rmSync(this.#file(name), { force: true })
    else writeFileAtomic(this.#file(name), `${JSON.stringify(note)}\n`)
    this.#read = undefined
  }

  #file = (name: string) => this.#workspace.at(runNotesName, `${name}.json`)
}
