/** All images of the studio: filtered, in order, with what is known of each; archived and taken back. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { archiveImages } from '../../feedback/store/image-writes.ts'
import type { Judgment } from '../../records.ts'
import type { GalleryEntry, GalleryFound } from '../gallery-book.ts'
import { ImageId } from '../schemas/basics.ts'
import {
  ArchiveChange,
  Archived,
  GalleryDetail,
  GalleryExportQuery,
  GalleryPage,
  GalleryQuery,
  type GalleryImage,
} from '../schemas/gallery.ts'
import type { Studio } from '../studio.ts'
import { blindImages, expectSeen } from './blind.ts'
import { download } from './downloads.ts'
import { notFound, refuse } from './failures.ts'
import { fileRoute, jsonRoute } from './route.ts'

/** Rows about an image that are told, the last of them. */
const mostRows = 200
const mostRelatives = 24
/** Whose scores of an image are told, the newest. */
const mostRewards = 10

export const galleryRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/gallery',
    summary: 'Images of every round, filtered and in order, a page at a time.',
    who: 'admin',
    query: GalleryQuery,
    answer: GalleryPage,
    handle: async ({ studio, rater, query }) => {
      if (query.reward !== undefined) studio.runs.get('reward', query.reward)
      const found = await studio.gallery.page(query, await blindImages(studio, rater))
      return {
        images: await Promise.all(found.entries.map((entry) => imageOf(studio, entry, found))),
        total: found.total,
        next: found.next,
        reward: found.reward,
        choices: await studio.gallery.choices(),
      }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/api/gallery/export',
    summary: 'Images as files, with their prompts and where they came from in metadata.jsonl.',
    who: 'admin',
    query: GalleryExportQuery,
    answer: 'application/octet-stream',
    handle: async ({ studio, rater, query: { images } }) => {
      await expectSeen(studio, rater, images)
      const found = await Promise.all([...new Set(images)].map((id) => studio.images.wholeFile(id)))
      return await download(studio, (folder) => {
        const rows = found.map(({ record: { file: _, ...record }, file }) => {
          const name = `${record.id}.png`
          copyFileSync(file, join(folder, name))
          return `${JSON.stringify({ file_name: name, ...record })}\n`
        })
        writeFileSync(join(folder, 'metadata.jsonl'), rows.join(''))
        return Promise.resolve({ file: 'metadata.jsonl', archive: 'images.zip' })
      })
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/gallery/:id',
    summary: 'An image: who judged it, what rewards give it, and where it came from.',
    who: 'admin',
    params: z.object({ id: ImageId }),
    answer: GalleryDetail,
    handle: async ({ studio, rater, params: { id } }) => await detailOf(studio, rater, id),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/archive',
    summary: 'Ask nobody about these images any more, or again; nothing is deleted.',
    who: 'admin',
    body: ArchiveChange,
    bodyLimit: 40_000,
    answer: Archived,
    handle: async ({ studio, body: { images, archived } }) => {
      const known = new Set((await studio.store.images()).map(({ record }) => record.id))
      const unknown = images.find((id) => !known.has(id))
      if (unknown !== undefined) {
        throw refuse(404, 'not-found', {
          where: 'images',
          expected: 'images of this studio',
          received: `unknown image ${unknown}`,
          remedy: 'reload the page',
        })
      }
      return { changed: await archiveImages(studio.store.database, images, archived) }
    },
  }),
]

async function imageOf(
  studio: Studio,
  entry: GalleryEntry,
  { says }: Pick<GalleryFound, 'says'>,
): Promise<GalleryImage> {
  // prettier-ignore
  const { record, answers, isArchived } = entry
  return {
    id: record.id,
    image: (await studio.images.refIfThere(record.id)) ?? null,
    prompt: record.text,
    policy: record.policy,
    good: answers.good,
    bad: answers.bad,
    judged: answers.telling > 0,
    score: says.scores.get(record.id) ?? null,
    archived: isArchived,
  }
}

async function detailOf(studio: Studio, rater: string, id: string): Promise<GalleryDetail> {
  const { gallery, images } = studio
  await expectSeen(studio, rater, [id])
  const blind = await blindImages(studio, rater)
  const entries = await gallery.all()
  const entry = entries.find(({ record }) => record.id === id)
  if (entry === undefined) throw notFound('image')
  const rewards = gallery.rewards().slice(0, mostRewards)
  const newest = rewards.at(0)
  const says = newest === undefined ? { scores: new Map(), uncertainties: new Map() } : gallery.says(newest)
  const { file: _, ...record } = entry.record
  const noise = noiseOf(entry)
  const relatives = entries.filter(
    (one) => one !== entry && noise !== undefined && noiseOf(one) === noise && !blind.has(one.record.id),
  )
  return {
    ...(await imageOf(studio, entry, { says })),
    record,
    rounds: [...entry.rounds],
    history: await historyOf(studio, id),
    scores: rewards.flatMap((reward) => {
      const { scores, uncertainties } = gallery.says(reward)
      const [score, uncertainty] = [scores.get(id) ?? null, uncertainties.get(id) ?? null]
      return score === null && uncertainty === null ? [] : [{ reward, score, uncertainty }]
    }),
    sameNoise: await Promise.all(
      relatives.slice(0, mostRelatives).map(async ({ record: one, rounds }) => ({
        id: one.id,
        image: (await images.refIfThere(one.id)) ?? null,
        policy: one.policy,
        round: rounds.at(0) ?? null,
      })),
    ),
  }
}

/** Equal texts: the same prompt and the same noise. None of images that were brought, which have no noise. */
function noiseOf({ record: { text, seed, index, draw, policy, source } }: GalleryEntry): string | undefined {
  if (policy === 'uploaded' || source !== undefined) return undefined
  return JSON.stringify([text, seed, draw === undefined ? 'index' : 'draw', draw ?? index])
}

async function historyOf({ store }: Studio, id: string): Promise<GalleryDetail['history']> {
  const rows = (await store.allRows()).filter(({ images }) => images.includes(id)).slice(-mostRows)
  const stands = new Set((await store.judgments()).filter(({ images }) => images.includes(id)).map((one) => one.id))
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    answer: row.answer,
    rater: row.rater,
    at: row.at,
    stands: stands.has(row.id),
    undoes: row.undoes !== undefined,
    reasons: row.reasons ?? [],
    told: row.undoes === undefined ? toldOf(row, row.images.indexOf(id)) : null,
  }))
}

type Told = GalleryDetail['history'][number]['told']

/** What a judgment says of its image at a place. */
function toldOf(judgment: Judgment, place: number): Told {
  const { answer, images } = judgment
  if (judgment.kind === 'rating' && judgment.ratings) {
    const { overall, alignment, fidelity } = judgment.ratings
    return { overall, alignment, fidelity }
  }
  if (judgment.kind === 'ranking' && judgment.ranks) return { rank: judgment.ranks[place], of: images.length }
  if ((judgment.kind === 'pair' || judgment.kind === 'vote') && (answer === 'first' || answer === 'second')) {
    return (answer === 'first') === place < images.length / 2 ? 'preferred' : 'not-preferred'
  }
  return null
}
