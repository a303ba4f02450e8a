/**
 * Processes that work as one: what each of them computes of its share is added up or put together here. `alone` is the
 * group of one, for which nothing has to be exchanged, so no code asks how many there are.
 *
 * All processes call the same functions in the same order. A call waits for the others; when one of them ends or does not
 * come, it throws within seconds, or after the timeout, and names it.
 */
import { GroupError } from '../errors.ts'
import { takePlace, type Place } from '../place-in-group.ts'
import { noGrad } from './autograd.ts'
import { cat, stack, tensor, zeros } from './create.ts'
import { describeLibrary, native } from './library.ts'
import { Rendezvous } from './rendezvous.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

/** Processes that compute as one, as one of them sees it. */
export interface Group extends Disposable {
  /** Of this process: 0 to size - 1. The first one writes. */
  readonly rank: number
  readonly size: number
  /** Replaces each tensor by the sum of what all processes have of it, the same bits everywhere; many are one exchange. */
  sum(tensors: readonly Tensor[]): void
  /** Sums of numbers over all processes, in double precision. */
  sumNumbers(numbers: readonly number[]): number[]
  /** The rows of all processes along the first dimension, in the order of ranks; each may have another number of them. One process gets its own tensor back. */
  gather(rows: Tensor): Tensor
  /** Rows of several tensors of one shape as one exchange; see `gather`. */
  gatherAll(tensors: readonly Tensor[]): Tensor[]
  /**
   * Sends rows to where they are wanted: the first `sent[0]` of them to process 0, those after them to process 1 and so on.
   * All know who sends how many: `received[r]` come from process r.
   *
   * @returns the rows that came, in the order of the processes that sent them
   */
  exchange(rows: Tensor, sent: readonly number[], received: readonly number[]): Tensor
  /** Bytes of each process, of any length, in the order of ranks. */
  gatherBytes(bytes: Uint8Array): Uint8Array[]
  /** Replaces the tensors by those of the first process. */
  broadcast(tensors: readonly Tensor[]): void
  /** Waits until all processes are here. */
  barrier(): void
  /** Leaves word of why this process ends, so that the others can say it too. Call it before ending by an error. */
  abort(words: string): void
}

/** What each process has, as it survives JSON, in the order of ranks. */
export function gatherValues<T>(group: Group, value: T): T[] {
  const all = group.gatherBytes(Buffer.from(JSON.stringify(value)))
  return all.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as T)
}

/** Files of each process, any number and length of them, in the order of ranks. */
export function gatherFiles(group: Group, files: readonly Uint8Array[]): Uint8Array[][] {
  const lengths = gatherValues(
    group,
    files.map(({ length }) => length),
  )
  return group.gatherBytes(Buffer.concat(files)).map((bytes, rank) => {
    let end = 0
    return lengths[rank].map((length) => bytes.subarray(end, (end += length)))
  })
}

/** The group of one process. */
export const alone: Group = {
  rank: 0,
  size: 1,
  sum: () => undefined,
  sumNumbers: (numbers) => [...numbers],
  gather: (rows) => rows,
  gatherAll: (tensors) => [...tensors],
  exchange: (rows) => rows,
  gatherBytes: (bytes) => [bytes],
  broadcast: () => undefined,
  barrier: () => undefined,
  abort: () => undefined,
  [Symbol.dispose]: () => undefined,
}

/** The part of `count` things in a row that is this process's: as even as can be, and together all of them in order. */
export function shareOf({ rank, size }: Pick<Group, 'rank' | 'size'>, count: number): { from: number; to: number } {
  return { from: Math.floor((rank * count) / size), to: Math.floor(((rank + 1) * count) / size) }
}

export interface GroupTimeouts {
  /** Until all processes have come: they may wait for machines. */
  readonly joinMs: number
  /** Of one exchange, which the others may be late for: while the first one draws samples and writes files, they wait. */
  readonly exchangeMs: number
}

const defaultTimeouts: GroupTimeouts = { joinMs: 300_000, exchangeMs: 1_800_000 }

let joined: Group = alone

/** The group of this process. */
export const theGroup = (): Group => joined

/**
 * Joins the group; waits for all others. Tensors of a GPU are exchanged where they lie if libtorch has NCCL for it, else by
 * way of the CPU. The group ends with its `using` block.
 *
 * @throws {GroupError} names those that did not come in time
 * @throws {LibraryError} this libtorch knows no groups
 */
export function joinGroup(place: Place | undefined, timeouts: Partial<GroupTimeouts> = {}): Group {
  if (place === undefined) return alone
  const { joinMs, exchangeMs } = { ...defaultTimeouts, ...timeouts }
  joined = new ProcessGroup(place, new Rendezvous(place, joinMs), exchangeMs)
  takePlace(place)
  return joined
}

const name = 'world'
const reduce_ = operator<[tensor: Tensor, how: 'sum', group: string], void>('_c10d_functional::all_reduce_')
const broadcast_ = operator<[tensor: Tensor, from: number, group: string], void>('_c10d_functional::broadcast_')
const gatherRows = operator<[tensor: Tensor, size: number, group: string], Tensor>(
  '_c10d_functional::all_gather_into_tensor',
)
const exchangeRows = operator<
  [rows: Tensor, received: readonly number[], sent: readonly number[], group: string],
  Tensor
>('_c10d_functional::all_to_all_single')
const wait = operator<[tensor: Tensor], Tensor>('_c10d_functional::wait_tensor')

class ProcessGroup implements Group {
  readonly rank: number
  readonly size: number
  readonly #rendezvous: Rendezvous
  /** Whether tensors of a GPU need not go by way of the CPU. */
  readonly #onGpu: boolean
  #isOpen = true

  constructor({ rank, size }: Place, rendezvous: Rendezvous, exchangeMs: number) {
    this.rank = rank
    this.size = size
    this.#rendezvous = rendezvous
    const libraries = this.#exchange(() =>
      native().joinGroup(rank, size, exchangeMs, describeLibrary().cudaDevices > 0),
    )
    this.#onGpu = libraries.includes('nccl')
  }

  sum(tensors: readonly Tensor[]): void {
    this.#inPlace(tensors, (flat) => reduce_(flat, 'sum', name))
  }

  sumNumbers(numbers: readonly number[]): number[] {
    using _scope = tensorScope()
    const all = tensor(numbers, undefined, 'float64')
    this.sum([all])
    return all.toArray()
  }

  gather(rows: Tensor): Tensor {
    using scope = tensorScope()
    using _noGrad = noGrad()
    return scope.keep(cat(this.#gatherParts(rows)).to(rows.device))
  }

  gatherAll(tensors: readonly Tensor[]): Tensor[] {
    if (tensors.length === 0) return []
    using scope = tensorScope()
    using _noGrad = noGrad()
    const all = this.gather(stack(tensors, 1))
    return tensors.map((_, place) => scope.keep(all.select(1, place).contiguous()))
  }

  exchange(rows: Tensor, sent: readonly number[], received: readonly number[]): Tensor {
    using scope = tensorScope()
    using _noGrad = noGrad()
    const own = this.#carried(rows.detach()).contiguous()
    const all = this.#exchange(() => wait(exchangeRows(own, received, sent, name)))
    return scope.keep(all.to(rows.device))
  }

  gatherBytes(bytes: Uint8Array): Uint8Array[] {
    using _scope = tensorScope()
    return this.#gatherParts(tensor(bytes)).map((part) => new Uint8Array(part.toBytes()))
  }

  broadcast(tensors: readonly Tensor[]): void {
    this.#inPlace(tensors, (flat) => broadcast_(flat, 0, name))
  }

  barrier(): void {
    this.sumNumbers([0])
  }

  abort(words: string): void {
    if (!this.#isOpen) return
    try {
      this.#rendezvous.leaveWord(true, words)
    } catch {
      // The others find out without it.
    }
    this.#end()
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#end()
  }

  /** Tensors of one type on one device travel as one. */
  #inPlace(tensors: readonly Tensor[], exchange: (flat: Tensor) => void): void {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const kinds = Map.groupBy(tensors, ({ dtype, device }) => `${dtype} ${device}`)
    for (const same of kinds.values()) {
      const flat = this.#carried(cat(same.map((one) => one.detach().reshape(-1))))
      this.#exchange(() => {
        exchange(flat)
        wait(flat)
      })
      let end = 0
      for (const one of same) {
        const begin = end
        end += one.numel
        one.detach().copy_(flat.slice(0, begin, end).reshape(...one.shape))
      }
    }
  }

  /** The rows of each process, in the order of ranks, where they are exchanged. */
  #gatherParts(rows: Tensor): Tensor[] {
    const own = this.#carried(rows.detach())
    const counts = this.#gathered(tensor([own.shape[0]], [1], 'int64')).toArray()
    const most = Math.max(...counts)
    if (most === 0) return counts.map(() => own)
    const lacking = most - own.shape[0]
    const filler = () => zeros([lacking, ...own.shape.slice(1)], own.dtype, own.device)
    const all = this.#gathered(lacking === 0 ? own : cat([own, filler()]))
    return counts.map((count, rank) => all.slice(0, rank * most, rank * most + count))
  }

  #gathered(own: Tensor): Tensor {
    return this.#exchange(() => wait(gatherRows(own.contiguous(), this.size, name)))
  }

  #carried(one: Tensor): Tensor {
    return this.#onGpu || one.device === 'cpu' ? one : one.to('cpu')
  }

  #exchange<T>(call: () => T): T {
    if (!this.#isOpen) {
      const remedy = 'see the message before'
      throw new GroupError({ where: 'group', expected: 'one that is there', received: 'one that has ended', remedy })
    }
    try {
      return call()
    } catch (cause) {
      this.#isOpen = false
      // Those that wait for this process hear of it by the end of its connection, and look for the reason as well.
      native().leaveGroup()
      const error = this.#rendezvous.explain(faultOf(cause as Error))
      this.#rendezvous.close()
      throw error
    }
  }

  #end(): void {
    this.#isOpen = false
    native().leaveGroup()
    this.#rendezvous.close()
  }
}

/** `Read error [10.0.0.2]:49833: Connection reset by peer` */
const faultOf = ({ message }: Error) =>
  message.replace(/^.*refusal: (.*) — .*$/, '$1').replace(/^\[[^\]]*\] (.*?)(?:\. This is typically .*)?$/, '$1')
