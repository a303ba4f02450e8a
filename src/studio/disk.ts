/** What lies on the disk, and what is left of it. */
import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bytes that become free where a file or a folder is removed: of files that have no other name. A link is not followed; what
 * goes meanwhile counts nothing.
 */
export async function bytesOf(path: string): Promise<number> {
  try {
    const found = await lstat(path)
    if (!found.isDirectory()) return found.nlink === 1 ? found.size : 0
    let bytes = 0
    for (const name of await readdir(path)) bytes += await bytesOf(join(path, name))
    return bytes
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
    throw error
  }
}

/** Of the disk on which a folder lies, bytes. */
export async function roomAt(folder: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
