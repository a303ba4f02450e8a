/** `studio backup`: all of a workspace in one file, while it runs or not. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { FileError } from '../../errors.ts'
import { databaseName } from '../open-studio.ts'
import { StudioConfig } from '../start-studio.ts'
import { openWorkspace } from '../workspace.ts'
import { writeBackup } from './write-backup.ts'

const { workspace, database } = StudioConfig.shape

export const BackupConfig = z.strictObject({
  file: z.string().min(1).describe('File to write: a tar archive, compressed with gzip.'),
  workspace,
  database,
  weights: z
    .boolean()
    .default(false)
    .describe('With the weights of runs, by which policies draw and rewards score; the rest opens without them.'),
})
export type BackupConfig = z.infer<typeof BackupConfig>

/**
 * @returns the file
 * @throws {FileError} there is no studio, or the file cannot be written
 */
export async function backUpStudio({ file, workspace: folder, database: url, weights }: BackupConfig): Promise<string> {
  const place = url ?? resolve(folder, databaseName)
  if (!existsSync(folder) || (url === null && !existsSync(place))) {
    throw new FileError({
      where: folder,
      expected: 'the workspace of a studio',
      received: existsSync(folder) ? 'a folder without judgments' : 'no such folder',
      remedy: 'name it with --workspace, and with --database where the judgments are in PostgreSQL',
    })
  }
  await writeBackup(file, { workspace: openWorkspace(folder), database: place, weights })
  return file
}
