/** The time by the server's clock: that of a person's machine may be wrong by days, and answers of the future are refused. */

/** Milliseconds by which this machine is ahead of the server, as its last answer said; its header counts whole seconds. */
let aheadMs = 0
const tolerableMs = 30_000

export function setClockBy(header: string | null): void {
  const server = header === null ? NaN : Date.parse(header)
  if (Number.isNaN(server)) return
  const ahead = Date.now() - server
  aheadMs = Math.abs(ahead) < tolerableMs ? 0 : ahead
}

/** ISO 8601, UTC. */
export const timeNow = (): string => new Date(Date.now() - aheadMs).toISOString()
