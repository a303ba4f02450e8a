/** How many cores this process may keep busy. */
import { availableParallelism } from 'node:os'

/** Tells a process that it shares the machine with others of ours. */
export const coresVariable = 'ATTUNE_CORES'

/** All cores of the machine, or the part of them that is left to this process. */
export const coresOfThis = (): number =>
  Math.min(availableParallelism(), Number(process.env[coresVariable]) || availableParallelism())
