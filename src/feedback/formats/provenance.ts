/** Where exported judgments come from: pictures by their SHA-256, people by pseudonyms, and what they agreed to. */
import { createHmac, randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { version } from '../../../scripts/setup/places.mjs'
import type { ImageRecord, Judgment } from '../../records.ts'
import type { FeedbackDatabase } from '../store/database.ts'
import { readGuidelines } from '../guidelines.ts'
import type { FeedbackStore } from '../store/store.ts'

export interface ProvenanceOptions {
  /** People keep their names; without it each has a pseudonym that only this store can tell. */
  readonly names?: boolean
  /** What others may do with the judgments. */
  readonly licence?: string
}

/** What is said once of a whole export, beside a format that has no place for it. */
interface ExportRecord {
  readonly attune: string
  readonly exportedAt: string
  readonly licence: string
  /** What raters agreed to, from when on. */
  readonly consent: readonly { readonly from: string; readonly text: string }[]
  /** `written` is the SHA-256 of the picture in the export, where it is not the image's own file. */
  readonly images: Readonly<
    Record<string, Pick<ImageRecord, 'sha256' | 'policy' | 'seed' | 'index' | 'source'> & { readonly written?: string }>
  >
  readonly judgments: readonly Judgment[]
}

export interface Provenance {
  readonly version: string
  readonly licence: string
  /** A judgment as it leaves the house: its rater under a pseudonym. */
  outward(judgment: Judgment): Judgment
  /** A rater's name as it leaves the house. */
  nameOf(rater: string): string
  /** Number of a rater, below 2⁴⁸, that stays the same. */
  numberOf(rater: string): number
  /** What raters agreed to at a time; empty where there was nothing. */
  consentAt(at: string): string
  /** @param written SHA-256 of pictures in the export, by the ids of images */
  about(
    judgments: readonly Judgment[],
    imageOf: (id: string) => { readonly record: ImageRecord },
    written?: ReadonlyMap<string, string>,
  ): ExportRecord
}

/** All that the exports of a store say alike. */
export async function provenanceOf(
  store: FeedbackStore,
  { names = false, licence = '' }: ProvenanceOptions = {},
): Promise<Provenance> {
  const salt = await pseudonymSalt(store.database)
  const guidelines = await readGuidelines(store.database)
  const nameOf = (rater: string) => (names ? rater : pseudonym(salt, rater))
  const outward = (judgment: Judgment): Judgment =>
    judgment.raterKind === 'simulated' ? judgment : { ...judgment, rater: nameOf(judgment.rater) }
  return {
    version,
    licence,
    outward,
    nameOf,
    numberOf: (rater) => parseInt(digestOf(salt, rater).slice(0, 12), 16),
    consentAt: (at) => guidelines.findLast(({ createdAt }) => Date.parse(createdAt) <= Date.parse(at))?.consent ?? '',
    about: (judgments, imageOf, written) => ({
      attune: version,
      exportedAt: new Date().toISOString(),
      licence,
      consent: guidelines
        .filter(({ consent }) => consent !== '')
        .map(({ createdAt, consent }) => ({ from: createdAt, text: consent })),
      images: Object.fromEntries(
        [...new Set(judgments.flatMap(({ images }) => images))].map((id) => {
          const { sha256, policy, seed, index, source } = imageOf(id).record
          const digest = written?.get(id)
          return [
            id,
            {
              sha256,
              ...(digest === undefined ? {} : { written: digest }),
              policy,
              seed,
              index,
              ...(source === undefined ? {} : { source: nameOnly(source) }),
            },
          ]
        }),
      ),
      judgments: judgments.map(outward),
    }),
  }
}

/** A path may tell whose machine it was. */
const nameOnly = (source: NonNullable<ImageRecord['source']>) => ({
  ...source,
  name: basename(source.name.replaceAll('\\', '/')),
})

/** Tells the people of this store behind its pseudonyms; other names stay. */
export async function unmask(store: FeedbackStore): Promise<(rater: string) => string> {
  const salt = await pseudonymSalt(store.database)
  const names = new Set((await store.allRows()).map(({ rater }) => rater))
  const known = new Map([...names].map((name) => [pseudonym(salt, name), name]))
  return (rater) => known.get(rater) ?? rater
}

/** The same parts give the same id, so that a file counts once however often it is imported. */
export type ContentId = (...parts: readonly unknown[]) => string

/** Ids of imported judgments. They leave the house, and a rater is a part of them: without the store none can be guessed. */
export async function contentIds(store: FeedbackStore): Promise<ContentId> {
  const salt = await pseudonymSalt(store.database)
  return (...parts) => digestOf(salt, JSON.stringify(parts)).slice(0, 32)
}

const digestOf = (salt: string, rater: string) => createHmac('sha256', salt).update(rater).digest('hex')
const pseudonym = (salt: string, rater: string) => `rater-${digestOf(salt, rater).slice(0, 12)}`

const saltKey = 'pseudonym-salt'

/** Made once; it never leaves the store, since names could be guessed with it. */
async function pseudonymSalt(database: FeedbackDatabase): Promise<string> {
  const find = () => database.selectFrom('settings').select('value').where('key', '=', saltKey).executeTakeFirst()
  const known = await find()
  if (known !== undefined) return known.value
  const value = JSON.stringify(randomBytes(32).toString('hex'))
  const insert = database.insertInto('settings').values({ key: saltKey, value })
  await insert.onConflict((conflict) => conflict.column('key').doNothing()).execute()
  return (await find())?.value ?? value
}
