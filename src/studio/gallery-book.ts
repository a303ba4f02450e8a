/** All images with what people and rewards say of them: filtered and in order, a page at a time. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { naturalOrder } from '../natural-order.ts'
import type { StoredImage } from '../feedback/store/known-rows.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import { getOrAdd } from '../get-or-add.ts'
import type { Category, ImageRecord, Judgment } from '../records.ts'
import { disagreementsName, scoresName, uncertaintiesName } from '../run-files.ts'
import type { RoundBook } from './round-book.ts'
import type { RunLibrary } from './runs.ts'
import type { GalleryFilter, GalleryPage, GalleryQuery, GallerySort, Verdict } from './schemas/gallery.ts'
import { runsName, type Workspace } from './workspace.ts'
import { readJson, whatWorks } from './workspace-files.ts'

/** What people say of an image, kept up to date. */
export interface ImageAnswers {
  good: number
  bad: number
  /** Of any kind, but skips and votes. */
  telling: number
  /** Who has judged it, and how often. */
  readonly raters: Map<string, number>
}

export interface GalleryEntry {
  readonly record: ImageRecord
  readonly isArchived: boolean
  readonly rounds: readonly string[]
  /** When it came: of its first round, and then its place there. */
  readonly at: string
  readonly answers: ImageAnswers
}

export interface RewardSays {
  readonly scores: ReadonlyMap<string, number>
  readonly uncertainties: ReadonlyMap<string, number>
}

export interface GalleryFound {
  readonly entries: readonly GalleryEntry[]
  readonly total: number
  readonly next: string | null
  readonly reward: string | null
  readonly says: RewardSays
}

const nothing: RewardSays = { scores: new Map(), uncertainties: new Map() }
const ByImage = z.record(z.string(), z.number())
const Disagreements = z.array(z.object({ image: z.string(), score: z.number() }))
const Cursor = z.tuple([z.union([z.string().max(60), z.number()]).nullable(), z.string().regex(/^[0-9a-f]{16}$/)])

export class GalleryBook {
  readonly #of: {
    readonly store: FeedbackStore
    readonly rounds: RoundBook
    readonly runs: RunLibrary
    readonly workspace: Workspace
  }
  readonly #answers = new Map<string, ImageAnswers>()
  #followed = 0
  readonly #says = new Map<string, RewardSays>()
  #listed: { readonly from: readonly unknown[]; readonly entries: readonly GalleryEntry[] } | undefined
  #choices:
    | {
        readonly from: readonly unknown[]
        readonly choices: Pick<GalleryPage['choices'], 'policies' | 'categories' | 'raters' | 'rounds'>
      }
    | undefined
  /** The last question, of which further pages are wanted most often. */
  #found: { readonly from: readonly unknown[]; readonly entries: readonly GalleryEntry[] } | undefined

  constructor(of: { store: FeedbackStore; rounds: RoundBook; runs: RunLibrary; workspace: Workspace }) {
    this.#of = of
  }

  /** Every image, archived ones too. */
  async all(): Promise<readonly GalleryEntry[]> {
    const { store, rounds: book } = this.#of
    const [images, rounds, shelved, changes] = await Promise.all([
      store.images(),
      book.all(),
      book.archived(),
      store.changes(),
    ])
    for (; this.#followed < changes.length; this.#followed++) {
      const { judgment, stands } = changes[this.#followed]
      for (const id of judgment.images) count(this.#answersOf(id), judgment, stands ? 1 : -1)
    }
    const from = [images, rounds, shelved]
    if (this.#listed?.from.some((one, i) => one !== from[i]) ?? true) {
      const roundsOf = new Map<string, { readonly names: string[]; readonly at: string }>()
      for (const { name, createdAt, images: ids } of rounds) {
        for (const id of ids) getOrAdd(roundsOf, id, () => ({ names: [], at: createdAt })).names.push(name)
      }
      const entryOf = ({ record, archived }: StoredImage): GalleryEntry => {
        const { names, at } = roundsOf.get(record.id) ?? { names: [], at: '' }
        const place = String(record.index).padStart(9, '0')
        return { record, isArchived: archived === true || shelved.has(record.id), rounds: names, at: `${at} ${place}`, answers: this.#answersOf(record.id) } // prettier-ignore
      }
      this.#listed = { from, entries: images.map(entryOf) }
    }
    return this.#listed!.entries
  }

  /** @param hidden ids of images that whoever asks may not see here: see blind.ts */
  async page(
    {
      sort = 'newest',
      after,
      count: most,
      ...filter
    }: Required<Pick<GalleryQuery, 'sort'>> & {
      count: number
      after?: string | undefined
    } & GalleryFilter,
    hidden: ReadonlySet<string>,
  ): Promise<GalleryFound> {
    const all = await this.all()
    const reward = filter.reward ?? this.rewards().at(0) ?? null
    const says = reward === null ? nothing : this.says(reward)
    const value = valueOf(sort, says)
    const from = [all, hidden, this.#followed, says, JSON.stringify([sort, filter])]
    const isSame = this.#found?.from.every((one, i) => one === from[i]) ?? false
    const entries = isSame
      ? this.#found!.entries
      : all
          .filter(({ record }) => !hidden.has(record.id))
          .filter(matcher(filter, says))
          .sort((a, b) => order(sort, value(a), value(b), a.record.id, b.record.id))
    this.#found = { from, entries }
    const cursor = after === undefined ? undefined : cursorOf(after)
    const begin =
      cursor === undefined ? 0 : firstAfter(entries, (entry) => order(sort, value(entry), cursor[0], entry.record.id, cursor[1]) > 0) // prettier-ignore
    const shown = entries.slice(begin, begin + most)
    const last = shown.at(-1)
    const next = last === undefined || begin + most >= entries.length ? null : textOf([value(last), last.record.id])
    return { entries: shown, total: entries.length, next, reward, says }
  }

  /** What can be asked for, each in order. */
  async choices(): Promise<GalleryPage['choices']> {
    const { store, rounds } = this.#of
    const [entries, judgments] = await Promise.all([this.all(), store.judgments()])
    if (this.#choices?.from[0] !== entries || this.#choices.from[1] !== judgments) {
      const [policies, categories, raters] = [new Set<string>(), new Set<Category>(), new Set<string>()]
      const found = new Set<string>()
      for (const { record, rounds: of } of entries) {
        policies.add(record.policy)
        categories.add(record.category)
        for (const name of of) found.add(name)
      }
      for (const { kind, rater } of judgments) if (kind !== 'vote') raters.add(rater)
      // Of a round that was deleted there are none.
      const names = (await rounds.all()).map(({ name }) => name).filter((name) => found.has(name))
      const choices = { policies: inOrder(policies), categories: inOrder(categories), raters: inOrder(raters), rounds: names } // prettier-ignore
      this.#choices = { from: [entries, judgments], choices }
    }
    return { ...this.#choices.choices, rewards: this.rewards() }
  }

  /** Rewards that have scored images, the newest first. */
  rewards(): string[] {
    const { runs, workspace } = this.#of
    return runs
      .ofKind('reward')
      .map(({ name }) => name)
      .filter((name) =>
        [scoresName, uncertaintiesName, disagreementsName].some((file) =>
          existsSync(workspace.at(runsName, name, file)),
        ),
      ) // prettier-ignore
      .reverse()
  }

  /** What a reward says of images, as its training left it; a broken file says nothing. */
  says(reward: string): RewardSays {
    const { workspace } = this.#of
    const read = <S extends z.ZodType>(file: string, schema: S): z.output<S> | undefined => {
      const path = workspace.at(runsName, reward, file)
      if (!existsSync(path)) return undefined
      return whatWorks([{ name: reward }], () => readJson(workspace, path, schema)).made[0]
    }
    return getOrAdd(this.#says, reward, () => {
      const scores = read(scoresName, ByImage)
      const told = scores === undefined ? (read(disagreementsName, Disagreements) ?? []) : []
      return {
        scores: new Map(scores === undefined ? told.map(({ image, score }) => [image, score]) : Object.entries(scores)),
        uncertainties: new Map(Object.entries(read(uncertaintiesName, ByImage) ?? {})),
      }
    })
  }

  #answersOf(id: string): ImageAnswers {
    return getOrAdd(this.#answers, id, () => ({ good: 0, bad: 0, telling: 0, raters: new Map<string, number>() }))
  }
}

function count(answers: ImageAnswers, { kind, answer, rater }: Judgment, change: 1 | -1): void {
  if (kind === 'vote') return
  if (answer === 'good') answers.good += change
  if (answer === 'bad') answers.bad += change
  if (answer !== 'skip') answers.telling += change
  const given = (answers.raters.get(rater) ?? 0) + change
  if (given === 0) answers.raters.delete(rater)
  else answers.raters.set(rater, given)
}

const holds: Readonly<Record<Verdict, (answers: ImageAnswers) => boolean>> = {
  good: ({ good, bad }) => good > bad,
  bad: ({ good, bad }) => bad > good,
  even: ({ good, bad }) => good > 0 && good === bad,
  disagreed: ({ good, bad }) => good > 0 && bad > 0,
  judged: ({ telling }) => telling > 0,
  unlabelled: ({ telling }) => telling === 0,
}

function matcher(filter: GalleryFilter, { scores }: RewardSays): (entry: GalleryEntry) => boolean {
  const { round, policy, category, verdict, rater, from, to, archived } = filter
  const text = filter.prompt?.trim().toLowerCase() ?? ''
  const isWithin = (score: number | undefined) =>
    (from === undefined && to === undefined) ||
    (score !== undefined && score >= (from ?? -Infinity) && score <= (to ?? Infinity))
  return ({ record, isArchived, rounds, answers }) =>
    (archived === 'shown' || isArchived === (archived === 'only')) &&
    (round === undefined || rounds.includes(round)) &&
    (policy === undefined || record.policy === policy) &&
    (category === undefined || record.category === category) &&
    (text === '' || record.text.toLowerCase().includes(text)) &&
    (verdict === undefined || holds[verdict](answers)) &&
    (rater === undefined || answers.raters.has(rater)) &&
    isWithin(scores.get(record.id))
}

type Value = string | number | null

const inOrder = <T extends string>(names: Iterable<T>): T[] => [...names].sort(naturalOrder)

function valueOf(sort: GallerySort, { scores, uncertainties }: RewardSays): (entry: GalleryEntry) => Value {
  if (sort === 'newest' || sort === 'oldest') return ({ at }) => at
  const values = sort === 'unsure' ? uncertainties : scores
  return ({ record }) => values.get(record.id) ?? null
}

/** Images without a value come last; equal ones by their ids, so that each has one place. */
function order(sort: GallerySort, a: Value, b: Value, idA: string, idB: string): number {
  if (a !== b) {
    if (a === null) return 1
    if (b === null) return -1
    const isRising = sort === 'oldest' || sort === 'lowest'
    return a < b === isRising ? -1 : 1
  }
  return idA < idB ? -1 : idA > idB ? 1 : 0
}

/** Of a list in which what is after comes last. */
function firstAfter(entries: readonly GalleryEntry[], isAfter: (entry: GalleryEntry) => boolean): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter(entries[middle])) high = middle
    else low = middle + 1
  }
  return low
}

const textOf = (cursor: z.infer<typeof Cursor>) => Buffer.from(JSON.stringify(cursor)).toString('base64url')

/** Undefined of a text that is none: the first page comes. */
function cursorOf(text: string): z.infer<typeof Cursor> | undefined {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch {
    return undefined
  }
}
