/**
 * Where the processes of a group meet before they are one, and where they leave word when they end: a store of texts that
 * all can read, in a file or served by the first of them.
 */
import { GroupError, LibraryError } from '../errors.ts'
import type { Place } from '../place-in-group.ts'
import { isAlive, ownerOf, type Owner } from '../run-lock.ts'
import { native } from './library.ts'

/** Why a process ended: `own`, what it complains of itself; else that it could not go on without the others. */
interface Farewell {
  readonly own: boolean
  readonly words: string
}

/** How long the others are waited for that are alive, to hear from each which one is not. */
const farewellMs = 4000
/** So long the one that serves the store stays, so that all can read what was found. */
const lingerMs = 1000
/** So long a store may still be there that was served to processes before these. */
const staleMs = 10_000

export class Rendezvous {
  readonly #place: Place
  #members: readonly Owner[] = []

  /**
   * Opens the store and waits until all processes of the group are there.
   *
   * @throws {GroupError} names those that did not come, or a second process of the same rank
   * @throws {LibraryError} this libtorch knows no groups
   */
  constructor(place: Place, joinMs: number) {
    this.#place = place
    const { rank, size } = place
    if (native().openStore === undefined) {
      throw new LibraryError({
        where: `process ${rank} of ${size}`,
        expected: 'a libtorch with Gloo, by which processes exchange tensors',
        received: 'one without it',
        remedy: 'run one process, or unset LIBTORCH and run `npm run setup`: PyTorch’s own packages have it',
      })
    }
    const began = performance.now()
    const spent = () => performance.now() - began
    for (;;) {
      const members = this.#meet(Math.max(1, Math.ceil(joinMs - spent())), spent() < staleMs)
      if (members !== undefined) {
        this.#members = members
        return
      }
      native().closeStore()
      sleep(staleMs / 50)
    }
  }

  /**
   * @param mayBeStale processes before these may just have ended, and the store still be that of the first of them
   * @returns undefined where it was, and a new one will take its place
   */
  #meet(joinMs: number, mayBeStale: boolean): readonly Owner[] | undefined {
    const { rank, size, rendezvous, isServed, attempt } = this.#place
    const diesWithFirst = rendezvous.startsWith('tcp:') && !isServed
    const isStale = diesWithFirst && rank > 0 && mayBeStale
    const failed = (received: string, remedy: string, cause?: unknown) =>
      new GroupError({ where: this.#where, expected: `${size} processes at ${rendezvous}`, received, remedy, cause })
    const serves = rank === 0 && !isServed
    // A store that outlives the processes still has what those before have left. Where the first process serves it, it is
    // new each time, and machines that were started again another number of times meet in it.
    const prefix = diesWithFirst ? 'attune' : `attune/${attempt}`
    try {
      native().openStore!(rendezvous, prefix, size, serves, joinMs)
    } catch (cause) {
      const remedy =
        rank === 0
          ? 'choose another port, if another program has this one'
          : 'is process 0 running, and can this machine reach its port?'
      throw failed(`no answer there: ${(cause as Error).message}`, remedy, cause)
    }
    try {
      if (native().storeAdd(`rank/${rank}`, 1) > 1) {
        if (isStale) return undefined
        throw failed(`a second process ${rank}`, 'each needs a rank of its own, and each run a rendezvous of its own')
      }
      native().storeSet(`member/${rank}`, JSON.stringify(ownerOf()))
      const texts = this.#await('member', joinMs)
      const absent = ranksOf(texts, (text) => text === undefined)
      if (absent.length === 0) return texts.map((text) => JSON.parse(text!) as Owner)
      const received = `nothing of ${named(absent)} within ${joinMs / 1000} s`
      throw failed(received, 'see the messages of those; they may have failed as they began, or wait somewhere else')
    } catch (cause) {
      if (cause instanceof GroupError) throw cause
      if (isStale) return undefined
      throw failed((cause as Error).message, 'see the message of the first process', cause)
    }
  }

  /** Leaves word of why this process ends, for the others. */
  leaveWord(own: boolean, words: string): void {
    native().storeSet(`farewell/${this.#place.rank}`, JSON.stringify({ own, words } satisfies Farewell))
  }

  /**
   * Why a collective has failed: who has ended, and with which words. Takes seconds at most; closing the connections first
   * lets all others come here as well.
   *
   * @param fault what this process saw
   */
  explain(fault: string): GroupError {
    const { rank, size } = this.#place
    const found = this.#find(fault)
    if (rank === 0 && !this.#place.isServed && size > 1) sleep(lingerMs)
    return new GroupError({
      where: this.#where,
      expected: `all ${size} processes to take part`,
      received: found,
      remedy: 'see what that process says itself; --resume goes on from the last checkpoint',
    })
  }

  close(): void {
    native().closeStore()
  }

  get #where() {
    return `process ${this.#place.rank} of ${this.#place.size}`
  }

  #find(fault: string): string {
    const known: (string | undefined)[] = Array.from({ length: this.#place.size }, () => undefined)
    try {
      this.leaveWord(false, fault)
      const isDone = (texts: readonly (string | undefined)[]) => {
        texts.forEach((text, one) => (known[one] ??= text))
        return texts.some((text) => isOwn(text)) || ranksOf(texts, isUndefined).every((one) => this.#isGone(one))
      }
      this.#await('farewell', farewellMs, isDone)
    } catch {
      // The store itself is gone, and with it the one that served it: unless it has said before why.
      const server = this.#place.isServed ? 'what started the processes' : this.#named([0])
      if (known[0] === undefined) return `${server} is gone, where all met`
    }
    const owned = ranksOf(known, isOwn)
    if (owned.length > 0) {
      const [first] = owned
      return `that ${this.#named([first])} has ended: ${(JSON.parse(known[first]!) as Farewell).words}`
    }
    const silent = ranksOf(known, isUndefined)
    if (silent.length === 0) return `a collective that failed though all are there: ${fault}`
    const gone = silent.filter((one) => this.#isGone(one))
    if (gone.length > 0) return `that ${this.#named(gone)} ${gone.length === 1 ? 'is' : 'are'} gone`
    return `no answer from ${this.#named(silent)} (${fault})`
  }

  /** Texts of all ranks, as soon as `isDone` or all are there; what there is when the time is over. */
  #await(kind: string, ms: number, isDone = (_texts: readonly (string | undefined)[]): boolean => false) {
    const texts: (string | undefined)[] = Array.from({ length: this.#place.size }, () => undefined)
    const until = performance.now() + ms
    for (let pause = 5; ; pause = Math.min(2 * pause, 100)) {
      texts.forEach((text, rank) => (texts[rank] = text ?? native().storeGet(`${kind}/${rank}`)))
      if (isDone(texts) || texts.every((text) => text !== undefined) || performance.now() > until) return texts
      sleep(pause)
    }
  }

  /** Known for certain of a process of this machine alone. */
  #isGone(rank: number): boolean {
    const member = this.#members[rank]
    return member.host === ownerOf().host && !isAlive(member)
  }

  #named(ranks: readonly number[]): string {
    const member = (rank: number) => `${this.#members[rank].pid} on ${this.#members[rank].host}`
    return `${named(ranks)} (pid ${ranks.map(member).join(', ')})`
  }
}

const isUndefined = (text: string | undefined) => text === undefined
const isOwn = (text: string | undefined) => text !== undefined && (JSON.parse(text) as Farewell).own

const ranksOf = (texts: readonly (string | undefined)[], isMeant: (text: string | undefined) => boolean) =>
  texts.flatMap((text, rank) => (isMeant(text) ? [rank] : []))

const named = (ranks: readonly number[]) => `process${ranks.length === 1 ? '' : 'es'} ${ranks.join(', ')}`

/** This thread does nothing else meanwhile, as in a collective. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
