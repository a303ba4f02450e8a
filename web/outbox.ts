/**
 * Answers on their way to the server. Each is kept in the browser until the server has said that it is on its disk, and is
 * sent again, with the same id, after any failure: going offline, a reload or a killed server lose none, and count none
 * twice.
 */
import { useSyncExternalStore } from 'react'
import { StudioError } from '../src/errors.ts'
import type { NewVotes } from '../src/studio/schemas/comparing.ts'
import type { NewJudgment } from '../src/studio/schemas/labelling.ts'
import { clientOf, raterName } from './api.ts'
import { isOffline } from './remote.ts'
import { readStored, storedKeys, writeStored } from './stored.ts'

export type NewVote = NewVotes['votes'][number]
type Letter =
  | { readonly order: number; readonly rater: string | null; readonly judgment: NewJudgment }
  | { readonly order: number; readonly rater: string | null; readonly vote: NewVote }

export interface OutboxState {
  /** Answers that the server has not acknowledged. */
  readonly waiting: number
  /** Being sent, kept until the server answers again, or everything is on its disk. */
  readonly status: 'saved' | 'saving' | 'offline' | 'signed-out'
  /** An answer that the server will never take; it is kept out of the way. */
  readonly refused: unknown
}

const prefix = 'attune.answer.'
const most = 100
const firstRetryMs = 500
const lastRetryMs = 5000

const letters = new Map<string, Letter>()
const listeners = new Set<() => void>()
let state: OutboxState = { waiting: 0, status: 'saved', refused: undefined }
let isSending = false
let retryMs = firstRetryMs
let timer: ReturnType<typeof setTimeout> | undefined
let lastOrder = 0

function tell(change: Partial<OutboxState> = {}): void {
  state = { ...state, ...change, waiting: letters.size }
  for (const listener of listeners) listener()
}

/** Also the answers that another page, or an earlier one, has left. */
function collect(): void {
  for (const key of storedKeys(prefix)) {
    const id = key.slice(prefix.length)
    const text = letters.has(id) ? null : readStored(key)
    if (text === null) continue
    try {
      letters.set(id, JSON.parse(text) as Letter)
    } catch {
      writeStored(key, null)
    }
  }
}

/** Times alone do not tell the order of two answers in one millisecond. */
function nextOrder(): number {
  lastOrder = Math.max(Date.now(), lastOrder + 0.001)
  return lastOrder
}

function post(id: string, letter: Letter): void {
  letters.set(id, letter)
  writeStored(`${prefix}${id}`, JSON.stringify(letter))
  tell({ status: state.status === 'offline' ? 'offline' : 'saving' })
  if (state.status !== 'offline') void send()
}

export const postJudgment = (judgment: NewJudgment): void =>
  post(judgment.id, { order: nextOrder(), rater: raterName(), judgment })
export const postVote = (vote: NewVote): void => post(vote.id, { order: nextOrder(), rater: raterName(), vote })

/** Images whose judgments the server may not know yet: it would ask about them again. */
export const imagesUnderWay = (): string[] =>
  [...letters.values()].flatMap((letter) => ('judgment' in letter ? letter.judgment.images : []))
export const votesUnderWay = (): string[] =>
  [...letters.values()].flatMap((letter) => ('vote' in letter ? [letter.vote.task] : []))

/** The oldest letters of one rater and one kind. */
function nextBatch(): [string, Letter][] {
  const inOrder = [...letters].sort(([, a], [, b]) => a.order - b.order)
  const end = inOrder.findIndex(
    ([, letter]) => letter.rater !== inOrder[0][1].rater || 'vote' in letter !== 'vote' in inOrder[0][1],
  )
  return inOrder.slice(0, Math.min(end === -1 ? inOrder.length : end, most))
}

async function deliver(batch: readonly [string, Letter][]): Promise<void> {
  const client = clientOf(batch[0][1].rater)
  const all = batch.map(([, letter]) => letter)
  if ('vote' in all[0]) await client.vote({ votes: all.flatMap((letter) => ('vote' in letter ? [letter.vote] : [])) })
  else await client.judge({ judgments: all.flatMap((letter) => ('judgment' in letter ? [letter.judgment] : [])) })
}

function drop(batch: readonly [string, Letter][]): void {
  for (const [id] of batch) {
    letters.delete(id)
    writeStored(`${prefix}${id}`, null)
  }
}

async function send(): Promise<void> {
  if (isSending) return
  isSending = true
  clearTimeout(timer)
  try {
    while (letters.size > 0) {
      tell({ status: 'saving' })
      const batch = nextBatch()
      try {
        await deliver(batch)
      } catch (error) {
        if (!(await isFinal(error, batch))) return
      }
      drop(batch)
      retryMs = firstRetryMs
    }
    tell({ status: 'saved' })
  } finally {
    isSending = false
  }
}

/** Whether the server will never take it; one bad answer must not hold back the others, so they go one by one then. */
async function isFinal(error: unknown, batch: readonly [string, Letter][]): Promise<boolean> {
  const status = error instanceof StudioError ? error.status : 0
  if (isOffline(error) || status >= 500 || status === 429 || status === 401 || !(error instanceof StudioError)) {
    tell({ status: status === 401 ? 'signed-out' : 'offline' })
    timer = setTimeout(() => void send(), retryMs)
    retryMs = Math.min(lastRetryMs, retryMs * 2)
    return false
  }
  if (batch.length === 1) {
    tell({ refused: error })
    return true
  }
  for (const one of batch) {
    try {
      await deliver([one])
    } catch (single) {
      if (!(await isFinal(single, [one]))) return false
    }
    drop([one])
  }
  return true
}

/** Takes up what is left of earlier visits, and tries again when the network is back. */
export function startSending(): () => void {
  collect()
  tell()
  if (letters.size > 0) void send()
  const again = () => void send()
  addEventListener('online', again)
  return () => removeEventListener('online', again)
}

export const forgetRefused = (): void => tell({ refused: undefined })

export const useOutbox = (): OutboxState =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => state,
  )
