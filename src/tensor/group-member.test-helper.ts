/** One process of a group under test: does what its argument names and prints what it has got, as JSON. */
import { AttuneError, FileError } from '../errors.ts'
import { endWithParent } from '../parent-watch.ts'
import { groupFromEnvironment } from '../place-in-group.ts'
import { full, tensor } from './create.ts'
import { alone, gatherValues, joinGroup, shareOf, type Group } from './group.ts'
import { useThreads } from './library.ts'

const die = () => process.kill(process.pid, 'SIGKILL')

/** The numbers that a tensor of 3 and one of 2 x 2 add up to, rows of other lengths, and so on. */
function all(group: Group) {
  const { rank, size } = group
  const [first, second, whole] = [tensor([1, 2, 3]).add(10 * rank), full([2, 2], rank), tensor([rank], [1], 'int64')]
  group.sum([first, second, whole])
  const { from, to } = shareOf(group, 7)
  const rows = tensor(Array.from({ length: to - from }, (_, i) => [from + i, -(from + i)]).flat(), [to - from, 2])
  const gathered = group.gather(rows)
  // To each process one row more than to the one before: its own rank, as often as there is a row.
  const counts = (of: (one: number) => number) => Array.from({ length: size }, (_, one) => of(one))
  const sent = counts((to) => to)
  const rowsSent = full([sent.reduce((sum, count) => sum + count, 0), 2], rank)
  const exchanged = group.exchange(
    rowsSent,
    sent,
    counts(() => rank),
  )
  const nothing = counts(() => 0)
  const [mine, bits] = [full([2], rank + 5), tensor([rank], [1], 'uint8')]
  group.broadcast([mine, bits])
  group.barrier()
  return {
    size,
    sums: [first.toArray(), second.toArray(), whole.toArray()],
    numbers: group.sumNumbers([0.1, rank]),
    gathered: gathered.select(1, 0).toArray(),
    shape: gathered.shape,
    exchanged: exchanged.select(1, 1).toArray(),
    exchangedNone: group.exchange(tensor([], [0, 4]), nothing, nothing).shape,
    none: group.gather(tensor([], [0, 4])).shape,
    texts: gatherValues(group, 'x'.repeat(rank) + '…'),
    broadcast: [...mine.toArray(), ...bits.toArray()],
  }
}

const deeds: Record<string, (group: Group) => unknown> = {
  all,
  /** The last one ends while the others wait for it. */
  dies(group) {
    group.barrier()
    if (group.rank === group.size - 1) die()
    group.sum([full([100_000], 1)])
    group.sum([full([100_000], 1)])
  },
  /** The first one, which serves the rendezvous, ends. */
  firstDies(group) {
    group.barrier()
    if (group.rank === 0) die()
    group.barrier()
  },
  /** One ends by an error of its own, and says so. */
  fails(group) {
    group.barrier()
    if (group.rank === 1) {
      group.abort('disk: expected space, received none')
      throw new FileError({ where: 'disk', expected: 'space', received: 'none', remedy: 'make some' })
    }
    group.barrier()
  },
  /** One does not come, though it lives. */
  sleeps(group) {
    group.barrier()
    if (group.rank === 1) process.stdin.resume()
    else group.barrier()
  },
  /** One ends while the others wait, but not when they are started again. */
  diesOnce(group) {
    group.barrier()
    if (group.rank === Number(process.env.DIES ?? 1) && process.env.ATTUNE_ATTEMPT === '0') die()
    group.barrier()
    return { words: process.argv.slice(2), sum: group.sumNumbers([1]) }
  },
  /** Waits for ever, until a signal comes. */
  waits(group) {
    group.barrier()
    process.stderr.write('here\n')
    setInterval(() => undefined, 1000)
  },
  /** Exchanges for ever. */
  works(group) {
    process.stderr.write('here\n')
    for (;;) group.barrier()
  },
  /** Exchanges for ever, but not when it is started again. */
  worksOnce(group) {
    if (process.env.ATTUNE_ATTEMPT === '0' && process.env.AGAIN === undefined) return deeds.works(group)
    return { sum: group.sumNumbers([1]) }
  },
  alone: () => all(alone),
}

endWithParent()
useThreads(1)
const timeouts = {
  joinMs: Number(process.env.JOIN_MS ?? 60_000),
  exchangeMs: Number(process.env.EXCHANGE_MS ?? 60_000),
}
try {
  const group = joinGroup(groupFromEnvironment(process.env), timeouts)
  const result = deeds[process.argv[2]](group)
  if (result !== undefined) process.stdout.write(JSON.stringify(result))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = error instanceof AttuneError ? error.exitCode : 1
}
