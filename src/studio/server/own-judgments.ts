/**
 * A rater's answers on their way into the store. An id that another rater has used is filed under one of this rater's own:
 * nobody learns from a refusal, or from its absence, that a judgment of somebody else is there, or what it says.
 */
import { createHmac } from 'node:crypto'
import type { AttuneError } from '../../errors.ts'
import { FormatError, StudioError, UnknownRecordError } from '../../errors.ts'
import { ratersOfJudgments } from '../../feedback/store/rows.ts'
import { rankingConflict } from '../../feedback/ranking.ts'
import type { Judgment } from '../../records.ts'
import type { Added } from '../schemas/labelling.ts'
import type { Studio } from '../studio.ts'
import { refuse } from './failures.ts'

type Filing = Pick<Studio, 'store' | 'secret' | 'images'>

/**
 * @throws {AttuneError} a judgment takes back one that is not this rater's, repeats one otherwise, is at odds with the
 *   ratings, or could not have been asked for
 */
export async function addOwn(studio: Filing, rater: string, judgments: readonly Judgment[]): Promise<Added> {
  const { store } = studio
  for (const judgment of judgments) await expectAskable(studio, judgment)
  await expectAgreeingRanks(store, rater, judgments)
  async function addAs(filed: Filed): Promise<Added> {
    const rows = judgments.map((judgment) => ({
      ...judgment,
      id: filed.get(judgment.id)!,
      ...(judgment.undoes !== undefined && { undoes: filed.get(judgment.undoes)! }),
    }))
    const added = await store.addJudgments(rows)
    return { added, known: judgments.length - added }
  }

  try {
    // What this process has read tells of nearly all. Where that is too little the store refuses, and it is looked up.
    return await addAs(filedIds(studio, rater, judgments, (id) => store.row(id)?.rater))
  } catch (error) {
    if (!(error instanceof UnknownRecordError || error instanceof FormatError)) throw error
  }
  for (let attempt = 1; ; attempt++) {
    const filed = await lookedUpIds(studio, rater, judgments)
    try {
      return await addAs(filed)
    } catch (error) {
      if (error instanceof UnknownRecordError) throw asSent(error, filed)
      if (!(error instanceof FormatError)) throw error
      // Another rater may have used the id in this moment.
      const again = await lookedUpIds(studio, rater, judgments)
      const isSame = judgments.every(({ id }) => again.get(id) === filed.get(id))
      if (isSame || attempt > 1) throw asSent(error, filed)
    }
  }
}

/** Under which id of the store each id is that a rater has sent. */
type Filed = ReadonlyMap<string, string>

/** {@link filedIds} by what the database holds. */
async function lookedUpIds(studio: Filing, rater: string, judgments: readonly Judgment[]): Promise<Filed> {
  const ids = [...new Set(judgments.flatMap(({ id, undoes = id }) => [id, undoes]))]
  const aliases = ids.map((id) => aliasOf(studio.secret, rater, id))
  const raters = await ratersOfJudgments(studio.store.database, [...ids, ...aliases])
  return filedIds(studio, rater, judgments, (id) => raters.get(id))
}

/**
 * Under which id of the store this rater's ids are, or will be.
 *
 * @param raterOf  who has given a judgment, by its id; undefined of one that is not there
 * @throws {UnknownRecordError} `undoes` names none of them
 */
function filedIds(
  { secret }: Filing,
  rater: string,
  judgments: readonly Judgment[],
  raterOf: (id: string) => string | undefined,
): Filed {
  const isForeign = (id: string) => (raterOf(id) ?? rater) !== rater
  const filed = new Map<string, string>()
  for (const { id, undoes = id } of judgments) {
    for (const one of [id, undoes]) filed.set(one, isForeign(one) ? aliasOf(secret, rater, one) : one)
  }
  const sent = new Set(judgments.map(({ id }) => id))
  for (const { id, undoes } of judgments) {
    if (undoes === undefined || sent.has(undoes) || raterOf(filed.get(undoes)!) === rater) continue
    throw new UnknownRecordError({
      where: `judgment ${id}`,
      expected: 'to take back an earlier judgment of your own',
      received: `unknown judgment ${undoes}`,
      remedy: 'send that judgment first; only who judged can take it back',
    })
  }
  return filed
}

/** What is shown together is of one prompt, and what is judged was shown. Images that are unknown the store complains of. */
async function expectAskable({ images }: Filing, { id, images: judged, shown, undoes }: Judgment): Promise<void> {
  if (undoes !== undefined) return
  const refuseIt = (field: string, expected: string, received: string) =>
    refuse(400, 'config', { where: `judgment ${id} ${field}`, expected, received, remedy: 'send what was asked' })
  if (shown !== undefined) {
    if (new Set(shown).size < shown.length) throw refuseIt('shown', 'each image once', 'one of them twice')
    if (!judged.every((image) => shown.includes(image))) {
      throw refuseIt('shown', 'the images that are judged, among others', 'none of one of them')
    }
  }
  const texts = new Set<string>()
  for (const image of shown ?? judged) {
    const known = await images.find(image).catch((error: unknown) => {
      if (error instanceof StudioError) return undefined
      throw error
    })
    if (known !== undefined) texts.add(known.record.text)
    else if (!judged.includes(image)) throw refuseIt('shown', 'images of this studio', `unknown image ${image}`)
  }
  if (texts.size > 1) throw refuseIt(shown === undefined ? 'images' : 'shown', 'images of one prompt', 'of several')
}

const aliasOf = (secret: string, rater: string, id: string) =>
  createHmac('sha256', secret)
    .update(JSON.stringify([rater, id]))
    .digest('hex')
    .slice(0, 40)

/** A complaint with the ids that the rater knows. */
function asSent(error: FormatError | UnknownRecordError, filed: ReadonlyMap<string, string>): AttuneError {
  const told = (text: string) => [...filed].reduce((all, [id, as]) => (id === as ? all : all.replaceAll(as, id)), text)
  const { where, expected, received, remedy } = error
  const complaint = { where: told(where), expected, received: told(received), remedy, cause: error }
  return error instanceof FormatError ? new FormatError(complaint) : new UnknownRecordError(complaint)
}

/** Who rates one image above another cannot rank it below (Xu et al. 2023, ImageReward). */
async function expectAgreeingRanks(
  store: Studio['store'],
  rater: string,
  judgments: readonly Judgment[],
): Promise<void> {
  if (!judgments.some(({ kind, undoes }) => kind === 'ranking' && undoes === undefined)) return
  const overall = new Map<string, number>()
  for (const judgment of [...(await store.judgments()).filter((one) => one.rater === rater), ...judgments]) {
    if (judgment.kind === 'rating' && judgment.ratings) overall.set(judgment.images[0], judgment.ratings.overall)
  }
  for (const judgment of judgments) {
    if (judgment.kind !== 'ranking' || judgment.ranks === undefined || judgment.undoes !== undefined) continue
    const conflict = rankingConflict(
      judgment.ranks,
      judgment.images.map((image) => overall.get(image)),
    )
    if (conflict === undefined) continue
    const [higher, lower] = conflict.map((place) => `image ${place + 1}`)
    throw refuse(400, 'ranking-conflict', {
      where: 'judgment ranks',
      expected: `${higher}, which was rated higher, above ${lower}`,
      received: 'another order',
      remedy: 'change the ranking or the ratings',
    })
  }
}
