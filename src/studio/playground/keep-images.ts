/** Images of the playground that somebody wants to keep: the round `playground`, which people are asked about like any other. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { archiveImages } from '../../feedback/store/image-writes.ts'
import { writeFiles, writing } from '../../files.ts'
import { imageListName } from '../../images/image-run.ts'
import type { Studio } from '../studio.ts'
import { runNameOf, runsName } from '../workspace.ts'
import type { DrawnPicture } from './drawn-shelf.ts'
import { playgroundRound } from './playground-round.ts'

let last: Promise<unknown> = Promise.resolve()

/**
 * Writes images and makes them known to the store. Those that it has stay where they are.
 *
 * @returns how many are new
 * @throws {FileError} the disk is full
 */
export function keepImages(
  studio: Pick<Studio, 'workspace' | 'store' | 'rounds'>,
  pictures: readonly DrawnPicture[],
): Promise<number> {
  const mine = last.then(() => keep(studio, pictures))
  last = mine.catch(() => undefined)
  return mine
}

async function keep(
  { workspace, store, rounds }: Pick<Studio, 'workspace' | 'store' | 'rounds'>,
  pictures: readonly DrawnPicture[],
): Promise<number> {
  const stored = await store.images()
  const known = new Map(stored.map(({ record, archived = false }) => [record.id, archived]))
  const fresh = new Map(pictures.filter(({ record }) => !known.has(record.id)).map((one) => [one.record.id, one]))
  const images = pictures.map(({ record }) => record.id)
  const at = (...names: string[]) => workspace.at(runsName, playgroundRound, ...names)
  writing(at('images'), () => mkdirSync(at('images'), { recursive: true }))
  const records = [...fresh.values()].map(({ record }) => ({
    ...record,
    policy: runNameOf(record.policy),
    file: `images/${record.id}.png`,
  }))
  await writeFiles(new Map(records.map(({ id, file }) => [at(file), fresh.get(id)!.png])))
  writing(at(imageListName), () => {
    appendFileSync(at(imageListName), records.map((record) => `${JSON.stringify(record)}\n`).join(''), { flush: true })
  })
  const added = records.length === 0 ? 0 : await store.addImages(records, at())
  await rounds.add({
    name: playgroundRound,
    policy: 'playground',
    purpose: 'round',
    createdAt: new Date().toISOString(),
    images,
  })
  // What was taken back once is wanted again.
  if (images.some((id) => known.get(id) === true)) await archiveImages(store.database, images, false)
  return added
}
