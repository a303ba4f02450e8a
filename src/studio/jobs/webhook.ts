/** Tells another program what becomes of jobs: a `POST` of JSON for each event. */
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { version } from '../../../scripts/setup/places.mjs'
import { stageTitle } from '../../stages.ts'
import type { JobState } from '../schemas/jobs.ts'
import { secondsOf, type JobQueue } from './job-queue.ts'
import type { JobRecord } from './job-record.ts'

/** Its value signs what is sent: `x-attune-signature: sha256=<HMAC-SHA256 of the body, in hex>`. */
export const secretVariable = 'ATTUNE_WEBHOOK_SECRET'

/** Others are on the way to one of these. */
const events: Readonly<Partial<Record<JobState, string>>> = {
  running: 'job.started',
  held: 'job.held',
  done: 'job.finished',
  failed: 'job.failed',
  stopped: 'job.stopped',
}

export interface WebhookOptions {
  /** Redirects from there are not followed. */
  readonly url: string
  readonly secret: string | undefined
  /** By which people reach the studio; null: not from elsewhere. */
  readonly studio: string | null
  /** Is told in one line what did not arrive. */
  readonly note: (text: string) => void
  /** Between attempts. */
  readonly waitsMs?: readonly number[]
  readonly timeoutMs?: number
}

/** More that wait to be sent than this are dropped, the newest, and that is told. */
const mostWaiting = 1000
/** Between looks at the alarms of trainings. */
const alarmEveryMs = 10_000

export class Webhook implements Disposable {
  readonly #options: Required<WebhookOptions>
  /** Jobs whose alarm was told. */
  readonly #alarmed = new Set<string>()
  #sending: Promise<void> = Promise.resolve()
  #waiting = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WebhookOptions) {
    this.#options = { waitsMs: [1000, 10_000], timeoutMs: 10_000, ...options }
  }

  /** Of a job that has come into another state. Returns at once. */
  changed(job: JobRecord): void {
    const event = events[job.state]
    if (event !== undefined) this.#queue(event, job, job.error)
  }

  /** Looks for alarms of trainings from now on. */
  watch(queue: Pick<JobQueue, 'all'>, alarmOf: (job: JobRecord) => string | null): void {
    this.#timer = setInterval(() => this.look(queue, alarmOf), alarmEveryMs).unref()
  }

  look(queue: Pick<JobQueue, 'all'>, alarmOf: (job: JobRecord) => string | null): void {
    for (const job of queue.all()) {
      if (job.state !== 'running' || this.#alarmed.has(job.id)) continue
      const alarm = alarmOf(job)
      if (alarm === null) continue
      this.#alarmed.add(job.id)
      this.#queue('job.alarm', job, alarm)
    }
  }

  /** Everything that waited was sent, or given up. */
  idle(): Promise<void> {
    return this.#sending
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #queue(event: string, job: JobRecord, reason: string | null): void {
    if (this.#waiting >= mostWaiting) {
      this.#options.note(`webhook: ${event} of ${job.run} was dropped: ${mostWaiting} wait before it`)
      return
    }
    const { id, stage, run, state, queuedAt, startedAt, finishedAt } = job
    const body = JSON.stringify({
      event,
      at: new Date().toISOString(),
      studio: this.#options.studio,
      job: {
        ...{ id, stage, title: stageTitle(stage), run, state, queuedAt, startedAt, finishedAt },
        seconds: Math.round(secondsOf(job)),
        reason,
      },
    })
    this.#waiting++
    this.#sending = this.#sending
      .then(() => this.#deliver(event, body))
      .then((failure) => {
        if (failure !== null) this.#options.note(`webhook: ${event} of ${run} did not arrive: ${failure}`)
      })
      .finally(() => this.#waiting--)
  }

  /** Null, or why it did not arrive. One delivery has one number in all attempts. */
  async #deliver(event: string, body: string): Promise<string | null> {
    const { url, secret, waitsMs, timeoutMs } = this.#options
    const headers = {
      'content-type': 'application/json',
      'user-agent': `attune/${version}`,
      'x-attune-event': event,
      'x-attune-delivery': randomUUID(),
      ...(secret !== undefined && {
        'x-attune-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      }),
    }
    let failure = ''
    for (const pause of [0, ...waitsMs]) {
      await wait(pause, undefined, { ref: false })
      try {
        const signal = AbortSignal.timeout(timeoutMs)
        const answer = await fetch(url, { method: 'POST', redirect: 'manual', headers, body, signal })
        await answer.body?.cancel()
        if (answer.ok) return null
        failure = `expected an answer of 200 to 299, received ${answer.status}`
        // What is wrong with the request stays so.
        if (answer.status < 500 && answer.status !== 429) break
      } catch (error) {
        const { cause } = error as { readonly cause?: unknown }
        failure = cause instanceof Error ? cause.message : (error as Error).message
      }
    }
    return failure
  }
}
