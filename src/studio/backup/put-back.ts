/** What a restore has left that was killed between its two renamings: the folder is aside, and nothing in its place. */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writing } from '../../files.ts'
import { isAlive, lockName, readOwner } from '../../run-lock.ts'

/** Where restores put what is there: each time elsewhere, the last one last by its name. */
const asides = (place: string) => `${place}.before-`
export const asideOf = (place: string): string => asides(place) + new Date().toISOString().replaceAll(':', '-')

/**
 * Puts back what is aside, where nothing is in its place: it still has the lock of the restore, which has ended.
 *
 * @throws {FileError} the place cannot be written
 */
export function putBack(place: string): void {
  const parent = dirname(place)
  if (existsSync(place) || !existsSync(parent)) return
  const aside = readdirSync(parent)
    .filter((name) => name.startsWith(asides(basename(place))))
    .sort()
    .findLast((name) => {
      const owner = readOwner(join(parent, name, lockName))
      return owner !== undefined && !isAlive(owner)
    })
  if (aside === undefined) return
  writing(place, () => renameSync(join(parent, aside), place))
  rmSync(join(place, lockName), { force: true })
}
