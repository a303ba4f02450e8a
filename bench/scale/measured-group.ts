/** A group that takes down what its exchanges cost. */
import type { Group } from '../../src/tensor/group.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

export interface Exchanged {
  readonly exchanges: number
  /** Until the last process has come to an exchange: shares that are uneven, or work that one process does alone. */
  readonly waitingSeconds: number
  /** From then on, until all have what they exchanged. */
  readonly exchangingSeconds: number
  /** Of sums, as each process has them: a ring sends and receives 2 (n − 1) / n of them. */
  readonly summedBytes: number
  /** That came from the other processes. */
  readonly receivedBytes: number
}

const bytesOf = ({ numel, dtype }: Tensor) =>
  numel * ({ float64: 8, int64: 8, float16: 2, uint8: 1 }[dtype as string] ?? 4)
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0)

/** Takes down what goes through a group; all processes wait for each other before each exchange, to part waiting from exchanging. */
export function measured(group: Group): { readonly group: Group; take(): Exchanged } {
  let [exchanges, waiting, exchanging, summed, received] = [0, 0, 0, 0, 0]
  const timed = <T>(work: () => T): T => {
    const began = performance.now()
    group.barrier()
    const met = performance.now()
    const result = work()
    exchanges++
    waiting += met - began
    exchanging += performance.now() - met
    return result
  }
  const gathered = <T>(own: number, work: () => T, bytes: (all: T) => number): T => {
    const all = timed(work)
    received += bytes(all) - own
    return all
  }
  const counting: Group = {
    rank: group.rank,
    size: group.size,
    sum(tensors) {
      summed += sumOf(tensors.map(bytesOf))
      timed(() => group.sum(tensors))
    },
    sumNumbers(numbers) {
      summed += 8 * numbers.length
      return timed(() => group.sumNumbers(numbers))
    },
    gather: (rows) => gathered(bytesOf(rows), () => group.gather(rows), bytesOf),
    gatherAll: (tensors) =>
      gathered(
        sumOf(tensors.map(bytesOf)),
        () => group.gatherAll(tensors),
        (all) => sumOf(all.map(bytesOf)),
      ),
    exchange: (rows, sent, counts) =>
      gathered(
        (bytesOf(rows) * sent[group.rank]) / Math.max(1, rows.shape[0]),
        () => group.exchange(rows, sent, counts),
        bytesOf,
      ),
    gatherBytes: (bytes) =>
      gathered(
        bytes.length,
        () => group.gatherBytes(bytes),
        (all) => sumOf(all.map(({ length }) => length)),
      ),
    broadcast(tensors) {
      if (group.rank > 0) received += sumOf(tensors.map(bytesOf))
      timed(() => group.broadcast(tensors))
    },
    barrier: () => timed(() => undefined),
    abort: (words) => group.abort(words),
    [Symbol.dispose]: () => group[Symbol.dispose](),
  }
  return {
    group: group.size === 1 ? group : counting,
    take() {
      const taken = {
        exchanges,
        waitingSeconds: waiting / 1000,
        exchangingSeconds: exchanging / 1000,
        summedBytes: summed,
        receivedBytes: received,
      }
      exchanges = waiting = exchanging = summed = received = 0
      return taken
    },
  }
}
