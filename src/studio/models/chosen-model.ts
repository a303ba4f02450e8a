/** Which checkpoint and encoder a workspace is opened with, where the command line names none: chosen in the page, read at start. */
import { existsSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../../files.ts'
import type { StudioModel } from '../jobs/orders.ts'
import type { Workspace } from '../workspace.ts'
import { readJson } from '../workspace-files.ts'

const fileName = 'model.json'
const Chosen = z.strictObject({ model: z.string().min(1), encoder: z.string().min(1).nullable() })

/** @throws {FormatError} the file is broken */
export function chosenModel(workspace: Workspace): StudioModel | null {
  const file = workspace.at(fileName)
  return existsSync(file) ? readJson(workspace, file, Chosen) : null
}

/** Null: the embedded model, as in a new workspace. */
export function chooseModel(workspace: Workspace, chosen: StudioModel | null): void {
  const file = workspace.at(fileName)
  if (chosen === null) rmSync(file, { force: true })
  else writeFileAtomic(file, `${JSON.stringify(chosen, null, 2)}\n`)
}
