/** What is left of the disk on which the workspace lies. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { roomAt } from '../disk.ts'
import { Disk } from '../schemas/disk.ts'
import type { Studio } from '../studio.ts'
import { worldOf } from '../worlds.ts'
import { jsonRoute } from './route.ts'

/** Below this, or a twentieth of a small disk, it is low: databases and logs need some of it too. */
const low = 2e9
/** A picture of 512 × 512, and one of the embedded model. */
const usualBytes = { checkpoint: 4.5e5, embedded: 3e3 }
/** Images that are looked at to know how large they are. */
const sampled = 20

export const diskRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/disk',
    summary: 'Room on the disk of the workspace, and how large an image is there.',
    who: 'admin',
    answer: Disk,
    handle: async ({ studio }) => {
      const { freeBytes, totalBytes } = await roomAt(studio.workspace.folder)
      const isLow = freeBytes < Math.min(low, totalBytes / 20)
      return { freeBytes, totalBytes, isLow, imageBytes: await imageBytes(studio) }
    },
  }),
]

/** The mean of some of those that lie there. */
async function imageBytes({ store, model }: Studio): Promise<number> {
  const images = await store.images()
  const some = images.filter((_, place) => place % Math.ceil(images.length / sampled) === 0)
  const found = await Promise.all(
    some.map(({ folder, record }) => lstat(join(folder, record.file)).catch(() => undefined)),
  )
  const sizes = found.flatMap((one) => (one?.isFile() === true && one.size > 0 ? [one.size] : []))
  if (sizes.length === 0) return usualBytes[worldOf(model) === undefined ? 'checkpoint' : 'embedded']
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length
}
