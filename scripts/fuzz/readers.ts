/**
 * Every reader of files that come from elsewhere or lie in a workspace. A new one is one more entry of the list that it
 * belongs to: sound files of its own, their form, and how one is read.
 */
import { checkpointReaders } from './readers/checkpoints.ts'
import { judgmentReaders } from './readers/judgments.ts'
import { pictureReaders } from './readers/pictures.ts'
import { promptReaders } from './readers/prompts.ts'
import type { Reader } from './readers/reader.ts'
import { workspaceReaders } from './readers/workspaces.ts'

export const readers: readonly Reader[] = [
  ...judgmentReaders,
  ...promptReaders,
  ...pictureReaders,
  ...checkpointReaders,
  ...workspaceReaders,
]
