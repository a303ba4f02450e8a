/** The local cache that the Hugging Face libraries share: where it is, and where a model lies in it. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isRevision, type HubName } from './hub-name.ts'

/** The cache's folder: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. */
export function hubCache(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env
  return HF_HUB_CACHE || join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'hub')
}

/** A model's folder below the cache: `models--owner--name`, with `blobs`, `refs` and `snapshots`. */
export const repositoryFolder = (name: string) => `models--${name.replace('/', '--')}`

/** The folder with the files of a revision; undefined where they were not downloaded. */
export function cachedSnapshot({ name, revision }: HubName): string | undefined {
  const repository = join(hubCache(), repositoryFolder(name))
  const ref = join(repository, 'refs', revision)
  const commit = isKind(ref, 'file') ? readFileSync(ref, 'utf8').trim() : revision
  const snapshot = join(repository, 'snapshots', commit)
  return !commit.includes('/') && isRevision(commit) && isKind(snapshot, 'folder') ? snapshot : undefined
}

/** The branches and tags of a model that are in the cache. */
export function cachedRevisions(name: string): string[] {
  const refs = join(hubCache(), repositoryFolder(name), 'refs')
  if (!isKind(refs, 'folder')) return []
  return (readdirSync(refs, { recursive: true }) as string[])
    .filter((revision) => cachedSnapshot({ name, revision }) !== undefined)
    .sort()
}

/** The SHA-256 of a large file in the cache, by whose name it is kept; undefined for other files. */
export function cachedSha256(file: string): string | undefined {
  const real = realpathSync(file)
  return basename(dirname(real)) === 'blobs' && /^[0-9a-f]{64}$/.test(basename(real)) ? basename(real) : undefined
}

function isKind(path: string, kind: 'file' | 'folder'): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return (kind === 'file' ? found?.isFile() : found?.isDirectory()) ?? false
}
