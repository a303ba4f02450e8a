/** What the server tells of a person's last answers, beside what the browser remembers of them. */
import { outbox } from './outbox.ts'
import type { Given, Past } from './past.ts'

/** An answer that stands on the server. */
export interface ToldAnswer {
  readonly answer: Given['answer']
  /** As it can be taken back, given the answers before it; undefined where its screen cannot be known. */
  readonly remembered: (earlier: readonly Given['answer'][]) => Given | undefined
}

/** The last answers of one place. */
export interface ToldPlace {
  readonly place: string
  /** Newest first. */
  readonly told: readonly ToldAnswer[]
  /** There are no others. */
  readonly isWhole: boolean
}

/**
 * Brings the way back up to date: with answers that were given elsewhere, and without those that were taken back there or
 * belong to another studio at this address. Where the server is away, it stays as it is.
 */
export async function bringUpToDate(past: Past, ask: () => Promise<readonly ToldPlace[]>): Promise<void> {
  await outbox.send()
  const [before, underWay, undone] = [past.all(), outbox.idsUnderWay(), outbox.undoneUnderWay()]
  const places = await ask().catch(() => undefined)
  if (places === undefined) return
  past.replace((now) => {
    const [idsBefore, idsNow] = [before, now].map((list) => new Set(list.map(({ answer }) => answer.id)))
    const since = now.filter(({ answer }) => !idsBefore.has(answer.id))
    const isSettled = (id: string) => idsBefore.has(id) === idsNow.has(id) && !undone.has(id)
    const known = places.flatMap(({ place, told, isWhole }) => {
      const local = before.filter((one) => one.place === place && isSettled(one.answer.id))
      const standing = told.filter(({ answer }) => isSettled(answer.id))
      return mergedPast(local, standing, (id) => underWay.has(id), isWhole)
    })
    return [...known.sort((a, b) => (a.answer.at < b.answer.at ? -1 : a.answer.at > b.answer.at ? 1 : 0)), ...since]
  })
}

/**
 * @param local    what the browser remembers of a place, oldest first
 * @param told     the last answers that stand, newest first
 * @param isWhole  there are no others
 */
export function mergedPast(
  local: readonly Given[],
  told: readonly ToldAnswer[],
  isUnderWay: (id: string) => boolean,
  isWhole: boolean,
): Given[] {
  const byId = new Map(local.map((one) => [one.answer.id, one]))
  const ids = new Set(told.map(({ answer }) => answer.id))
  const oldest = told.at(-1)?.answer.at ?? ''
  return [
    ...local.filter(({ answer }) => !isWhole && !ids.has(answer.id) && !isUnderWay(answer.id) && answer.at < oldest),
    ...told.toReversed().flatMap(({ answer, remembered }, i, all) => {
      const known = byId.get(answer.id)
      return known ?? remembered(all.slice(0, i).map((one) => one.answer)) ?? []
    }),
    ...local.filter(({ answer }) => !ids.has(answer.id) && isUnderWay(answer.id)),
  ]
}
