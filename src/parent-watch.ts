/** A process that works for another ends with it, however that one ended. */
import { Worker } from 'node:worker_threads'

/** Names the process that a command works for; set by {@link withParent}. */
const variable = 'ATTUNE_PARENT'
const everyMs = 500

/** The environment of a process that is to end when this one does. */
export const withParent = (): NodeJS.ProcessEnv => ({ ...process.env, [variable]: String(process.pid) })

let isWatching = false

/** Whether this process was started by another one of ours, with which it ends. */
export const worksForAnother = (): boolean => isWatching

/**
 * From now on this process is killed when the one that started it by {@link withParent} is gone; where there is none,
 * nothing happens. A thread of its own looks, since long computations let no event in; and it kills, since they could not
 * be ended otherwise: a run folder stands that.
 */
export function endWithParent(): void {
  const parent = Number(process.env[variable])
  delete process.env[variable]
  if (!Number.isSafeInteger(parent) || parent <= 0) return
  isWatching = true
  const look = `
    const { workerData: { parent, everyMs } } = require('node:worker_threads')
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, everyMs)`
  new Worker(look, { eval: true, execArgv: [], workerData: { parent, everyMs } }).unref()
}
