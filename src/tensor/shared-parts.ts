/** Long work in parts that the processes of a group divide among them, and that an earlier run may have done in part. */
import type { Dtype } from './dtype.ts'
import { tensor } from './create.ts'
import { gatherValues, type Group } from './group.ts'
import { endIfAsked, holdEnd } from './orderly-end.ts'
import type { PartFiles } from './part-files.ts'
import { tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

/** Tensors on the CPU, by their names. */
export type Part = ReadonlyMap<string, Tensor>

/** Who made a part: an earlier run, this process, or another one of the group. */
type Maker = 'earlier' | 'this' | 'another'

export interface PartsWork {
  readonly group: Group
  /** Where the first process keeps them; nothing is kept without it. */
  readonly files?: PartFiles
  /** What is under way, for the message of an end. */
  readonly label: string
  /** Makes the part that begins at a place; its tensors belong to the scope in force. */
  readonly make: (place: number) => Part | Promise<Part>
  /** Takes each part in every process, not in their order; its tensors go when this returns. */
  readonly take: (place: number, part: Part, by: Maker) => void
}

/**
 * Makes parts: each process a whole one at a time, so that a part is the same whoever makes it. All processes have all.
 *
 * @param places where the parts begin
 * @throws {FileError} a part cannot be written
 * @throws {StoppedError} a process of the group was asked to end; what was made is kept
 */
export async function makeParts(
  places: readonly number[],
  { group, files, label, make, take }: PartsWork,
): Promise<void> {
  using _end = holdEnd()
  const lacking: number[] = []
  for (const place of places) {
    using _scope = tensorScope()
    const [known] = gatherParts(group, group.rank === 0 ? files?.read(place) : undefined)
    if (known === undefined) lacking.push(place)
    else take(place, known, 'earlier')
  }
  for (let first = 0; first < lacking.length; first += group.size) {
    endIfAsked(group, label)
    using _scope = tensorScope()
    const round = lacking.slice(first, first + group.size)
    const own = round.at(group.rank)
    const made = gatherParts(group, own === undefined ? undefined : await make(own))
    for (const [rank, place] of round.entries()) {
      const part = made[rank]!
      if (group.rank === 0) files?.write(place, part)
      take(place, part, rank === group.rank ? 'this' : 'another')
    }
  }
}

/** What each process has, in the order of ranks; undefined of one that has nothing. */
function gatherParts(group: Group, own: Part | undefined): (Part | undefined)[] {
  const entries = [...(own ?? [])].map(([name, one]) => ({ name, one, bytes: new Uint8Array(one.toBytes()) }))
  const described = entries.map(({ name, one: { dtype, shape }, bytes }) => ({
    name,
    dtype,
    shape,
    size: bytes.length,
  }))
  const heads = gatherValues(group, own === undefined ? null : described)
  const bodies = group.gatherBytes(Buffer.concat(entries.map(({ bytes }) => bytes)))
  return heads.map((head, rank) => {
    if (rank === group.rank || head === null) return head === null ? undefined : own
    let end = 0
    return new Map(
      head.map(({ name, dtype, shape, size }) => [name, read(bodies[rank], end, (end += size), dtype, shape)]),
    )
  })
}

/** @param bytes whose part from `from` to `to` may begin anywhere in memory */
const read = (bytes: Uint8Array, from: number, to: number, dtype: Dtype, shape: readonly number[]) =>
  tensor(bytes.slice(from, to), shape, dtype)
