import { readFileSync } from 'node:fs'

/** Processor time of processes so far; the kernel counts in hundredths of a second. */
export const cpuMs = (...pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0)

function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The processes that a process has started and that run. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** A fixed piece of work, a few milliseconds long: how much of a core is left for it, from 0 to 1. */
export function share(): number {
  const [began, before] = [performance.now(), process.cpuUsage()]
  let sum = 0
  for (let i = 0; i < 2e7; i++) sum = (sum + i * i) % 1009
  const { user, system } = process.cpuUsage(before)
  return sum < 0 ? 0 : (user + system) / 1000 / (performance.now() - began)
}
