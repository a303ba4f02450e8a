/** LoRA files that somebody has brought into the workspace. */
import { readdirSync, statSync } from 'node:fs'
import { FileName, type Models } from '../schemas/models.ts'
import type { Studio } from '../studio.ts'
import { lorasName } from '../workspace.ts'

export function loraFiles({ workspace }: Pick<Studio, 'workspace'>): Models['loras'] {
  return readdirSync(workspace.at(lorasName), { withFileTypes: true })
    .filter((entry) => entry.isFile() && FileName.safeParse(entry.name).success)
    .map(({ name }) => ({ name, bytes: statSync(workspace.at(lorasName, name)).size }))
    .sort((a, b) => a.name.localeCompare(b.name))
}
