/** Which checkpoints and encoders lie here: in the cache that the Hugging Face libraries share, and in the workspace. */
import { existsSync, globSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cachedRevisions, cachedSnapshot, hubCache, repositoryFolder } from '../../networks/checkpoint/hub-cache.ts'
import { isHubName } from '../../networks/checkpoint/hub-name.ts'
import { modelsName, type Workspace } from '../workspace.ts'

export interface KnownModel {
  /** As a stage is told it: `owner/name`, `owner/name@revision`, or `models/folder`. */
  readonly name: string
  readonly place: 'cache' | 'workspace'
  /** Its folder, or the file that it is. */
  readonly path: string
  readonly bytes: number
  /** A download of it has broken off, or goes on. */
  readonly isPartial: boolean
  /** Another one when this changes. */
  readonly mark: string
}

export function knownModels(workspace: Workspace): KnownModel[] {
  return [...inWorkspace(workspace), ...inCache()].sort((a, b) => a.name.localeCompare(b.name))
}

/** Folders in the layout of diffusers or transformers, and models in one file. */
function inWorkspace({ at }: Workspace): KnownModel[] {
  return readdirSync(at(modelsName), { withFileTypes: true }).flatMap((entry): KnownModel[] => {
    const path = at(modelsName, entry.name)
    const isModel = entry.isDirectory() || (entry.isFile() && entry.name.endsWith('.safetensors'))
    if (!isModel || !/^[\w][\w.-]{0,99}$/.test(entry.name)) return []
    return [{ name: `${modelsName}/${entry.name}`, place: 'workspace', path, ...sizeOf(path), isPartial: false }]
  })
}

function inCache(): KnownModel[] {
  const cache = hubCache()
  if (!existsSync(cache)) return []
  return readdirSync(cache).flatMap((folder): KnownModel[] => {
    const [, owner, model] = /^models--(.+?)--(.+)$/.exec(folder) ?? []
    const name = `${owner}/${model}`
    if (model === undefined || !isHubName(name)) return []
    const blobs = join(cache, repositoryFolder(name), 'blobs')
    const isPartial = existsSync(blobs) && readdirSync(blobs).some((file) => file.endsWith('.incomplete'))
    const revisions = cachedRevisions(name)
    const whole = revisions.map((revision): KnownModel => {
      const path = cachedSnapshot({ name, revision })!
      return {
        name: revision === 'main' ? name : `${name}@${revision}`,
        place: 'cache',
        path,
        ...sizeOf(path),
        isPartial: false,
      }
    })
    if (whole.length > 0 || !isPartial) return whole
    return [{ name, place: 'cache', path: blobs, ...sizeOf(blobs), isPartial }]
  })
}

/** Links of the cache count as what they lead to. */
function sizeOf(path: string): Pick<KnownModel, 'bytes' | 'mark'> {
  const stat = statSync(path)
  const files = stat.isFile() ? [path] : globSync('**/*', { cwd: path }).map((name) => join(path, name))
  const stats = files.map((file) => statSync(file, { throwIfNoEntry: false })).filter((one) => one?.isFile())
  const bytes = stats.reduce((sum, one) => sum + one!.size, 0)
  const newest = stats.reduce((most, one) => Math.max(most, one!.mtimeMs), stat.mtimeMs)
  return { bytes, mark: `${path} ${stats.length} ${bytes} ${newest}` }
}
