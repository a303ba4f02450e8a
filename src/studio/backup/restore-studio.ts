/** `studio restore`: a workspace from its backup, with SQLite or PostgreSQL, whichever it had. */
import { z } from 'zod'
import { StudioConfig } from '../start-studio.ts'
import { restoreBackup } from './restore-backup.ts'

const { workspace, database } = StudioConfig.shape

export const RestoreConfig = z.strictObject({
  file: z.string().min(1).describe('What attune studio backup has written.'),
  workspace: workspace.describe('Folder to restore to: a new one, or an empty one.'),
  database: database.describe(
    'Empty PostgreSQL database to restore to, postgres://…; a SQLite file in the workspace without it.',
  ),
  replace: z
    .boolean()
    .default(false)
    .describe('Restore where something is: the folder is put aside, and what the database holds is removed.'),
})
export type RestoreConfig = z.infer<typeof RestoreConfig>

/** @returns the workspace @throws as {@link restoreBackup} */
export async function restoreStudio({ file, ...options }: RestoreConfig): Promise<string> {
  const aside = await restoreBackup(file, options)
  if (aside !== null) process.stderr.write(`studio: what was there is in ${aside}\n`)
  return options.workspace
}
