/**
 * SIGTERM as schedulers send it, some seconds or minutes before they kill: what is under way is finished and written first.
 * Only where a program says so once, by {@link endInOrder}; a library that is used by others leaves their signals alone.
 *
 * It is held between steps that can be gone on from and nowhere else: while a model is read, SIGTERM ends a process at once.
 */
import { StoppedError } from '../errors.ts'
import { worksForAnother } from '../parent-watch.ts'
import type { Group } from './group.ts'
import { native } from './library.ts'

let isWanted = false
let holders = 0

/** From now on SIGTERM ends this process in good order where something can be gone on with. */
export function endInOrder(): void {
  isWanted = true
}

/**
 * Until it is disposed, SIGTERM is noted and waits for {@link endIfAsked}. A second one, half a second later or more, ends
 * the process at once; one that works for a launch leaves that to it.
 */
export function holdEnd(): Disposable {
  if (!isWanted) return { [Symbol.dispose]: () => undefined }
  if (holders++ === 0) native().holdEnd?.(true, worksForAnother())
  return {
    [Symbol.dispose]() {
      if (--holders === 0) native().holdEnd?.(false, false)
    },
  }
}

/** Whether a process of the group was asked to end; all hear the same. */
export function isEndAsked(group: Group): boolean {
  return group.sumNumbers([native().isEndAsked?.() === true ? 1 : 0])[0] > 0
}

/**
 * Call it where all that was done so far can be gone on with.
 *
 * @param where what is under way
 * @throws {StoppedError} a process of the group was asked to end
 */
export function endIfAsked(group: Group, where: string): void {
  if (isEndAsked(group)) throw stopped(where, 'SIGTERM')
}

/** @param received how far it had come */
export const stopped = (where: string, received: string): StoppedError =>
  new StoppedError({
    where,
    expected: 'to come to its end',
    received,
    remedy: 'all that was done is kept; go on with the same command and --resume',
  })
