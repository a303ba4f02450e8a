/**
 * Where the images of a store lie. Folders below that of a SQLite file are kept relative to it, so that a workspace can be
 * renamed or copied with its images; all others, and those of a database server, are absolute.
 */
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { getOrAdd } from '../../get-or-add.ts'

export interface ImageFolders {
  /** A folder as the database keeps it. */
  stored(folder: string): string
  /** The absolute folder. */
  found(stored: string): string
}

/** @param place absolute folder of the SQLite file; undefined for a server */
export function imageFolders(place: string | undefined): ImageFolders {
  if (place === undefined) return { stored: (folder) => resolve(folder), found: (stored) => stored }
  const known = new Map<string, string>()
  return {
    stored(folder) {
      const way = relative(place, resolve(folder))
      const isBelow = way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
      return isBelow ? way : resolve(folder)
    },
    found: (stored) => getOrAdd(known, stored, () => resolve(place, stored)),
  }
}
