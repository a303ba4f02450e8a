/** When judgments may have been made. */
import { FormatError } from '../../errors.ts'

/** Clocks of honest machines differ by less. */
const mostAheadMs = 5 * 60_000

/** More than five minutes ahead of this machine's clock. */
export const isAhead = (at: string): boolean => !(Date.parse(at) <= Date.now() + mostAheadMs)

/**
 * A judgment of the future would be one that nobody has made.
 *
 * @param at     ISO 8601
 * @param where  for the complaint: `labels.csv:3 at`
 * @throws {FormatError} more than five minutes ahead of this machine's clock
 */
export function expectNotAhead(at: string, where: string): void {
  if (!isAhead(at)) return
  throw new FormatError({
    where,
    expected: `a time that is not ahead of ${new Date().toISOString()}, which is now`,
    received: at,
    remedy: 'correct the time, or the clock of the machine that is wrong',
  })
}

const stated = /^(\d{4}-\d\d-(\d\d))(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i

/**
 * A time as another tool writes it, in UTC: one that names no zone is one in UTC, whatever zone this machine is in.
 *
 * @returns ISO 8601 with milliseconds; undefined of what is no ISO time, or of a day that no calendar has
 */
export function utcTime(text: string): string | undefined {
  const [, day, date, clock = '00:00', zone = 'Z'] = stated.exec(text.trim()) ?? []
  // February 30 would be read as March 2.
  if (day === undefined || new Date(`${day}T00:00Z`).getUTCDate() !== Number(date)) return undefined
  const [, sign, hours, minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  const time = new Date(`${day}T${clock}${sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`}`)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}
