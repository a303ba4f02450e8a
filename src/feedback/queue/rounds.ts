/** Rounds: which images were drawn together, by which policy, and what for. */
import { z } from 'zod'
import type { ImageRecord } from '../../records.ts'
import { chunks } from '../store/chunks.ts'
import type { FeedbackDatabase } from '../store/database.ts'

const Purpose = z.enum(['round', 'comparison'])

export interface Round {
  /** Of the run that drew it, or of the upload. */
  readonly name: string
  /** The run that trained the policy, or `pretrained`. */
  readonly policy: string
  /** Images of a round are asked about; those of a comparison are only voted on. */
  readonly purpose: z.infer<typeof Purpose>
  readonly createdAt: string
  /** Ids, in no particular order. */
  readonly images: readonly string[]
}

/** Adds a round of images that the store knows; of one that is there already, the images that it lacks. */
export async function addRound(database: FeedbackDatabase, round: Round): Promise<void> {
  const { name, policy, purpose, createdAt, images } = round
  await database.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('rounds')
      .values({ name, policy, purpose, created_at: createdAt })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    for (const chunk of chunks([...new Set(images)])) {
      await transaction
        .insertInto('round_images')
        .values(chunk.map((image) => ({ round: name, image })))
        .onConflict((conflict) => conflict.columns(['round', 'image']).doNothing())
        .execute()
    }
  })
}

/** Oldest first. */
export async function readRounds(database: FeedbackDatabase): Promise<Round[]> {
  const rows = await database.selectFrom('rounds').selectAll().orderBy('created_at').orderBy('name').execute()
  const images = new Map(rows.map(({ name }): [string, string[]] => [name, []]))
  const members = await database.selectFrom('round_images').selectAll().orderBy('image').execute()
  for (const { round, image } of members) images.get(round)?.push(image)
  return rows.map(({ name, policy, purpose, created_at }) => ({
    name,
    policy,
    purpose: Purpose.parse(purpose),
    createdAt: created_at,
    images: images.get(name) ?? [],
  }))
}

/** The images that raters are asked about: those of rounds, and those of no round at all, which came by the command line. */
export function askable<T extends Pick<ImageRecord, 'id'>>(images: readonly T[], rounds: readonly Round[]): T[] {
  const asked = new Set(rounds.filter(({ purpose }) => purpose === 'round').flatMap(({ images: ids }) => ids))
  const compared = new Set(rounds.filter(({ purpose }) => purpose !== 'round').flatMap(({ images: ids }) => ids))
  return images.filter(({ id }) => asked.has(id) || !compared.has(id))
}
