/** Where a running studio is, as it tells in its workspace, and whom a new link of an admin is for. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FileError } from '../../errors.ts'
import { readAdmins } from '../../feedback/raters/raters.ts'
import type { FeedbackStore } from '../../feedback/store/store.ts'
import { isAlive, lockName, readOwner } from '../../run-lock.ts'
import type { Workspace } from '../workspace.ts'

/** What a running server has told of itself in its workspace. */
export const addressName = 'address.json'
const Address = z.object({ link: z.url(), login: z.boolean() })
export type Address = z.infer<typeof Address>

/** A new link of an admin who cannot come in any more is for that admin. */
export const adminName = async ({ database }: Pick<FeedbackStore, 'database'>): Promise<string> =>
  (await readAdmins(database))[0] ?? 'admin'

/** @returns undefined where none runs */
export function runningAddress({ folder, at }: Workspace): Address | undefined {
  const owner = readOwner(join(folder, lockName))
  if (owner === undefined || !isAlive(owner)) return undefined
  try {
    return Address.parse(JSON.parse(readFileSync(at(addressName), 'utf8')))
  } catch {
    throw new FileError({
      where: at(addressName),
      expected: 'the address of the studio that runs',
      received: 'none that can be read',
      remedy: 'state it with --public-url, or start the studio again',
    })
  }
}
