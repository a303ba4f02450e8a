/** Feedback stores as commands name them: a file, which may be there or not, or the address of a database. */
import { existsSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { FileError } from '../../errors.ts'
import { isDatabaseUrl } from './database.ts'
import { openFeedback, type FeedbackStore } from './store.ts'

/** Config field of the commands that work on a store. */
export const feedbackField = z.string().min(1).describe('Feedback store: a SQLite file, or postgres://….')

/** Adds something to a store. One that was not there before is not there after a failure either. */
export async function addToFeedback<T>(file: string, add: (store: FeedbackStore) => Promise<T>): Promise<T> {
  const isNew = !isDatabaseUrl(file) && !existsSync(file)
  try {
    await using store = await openFeedback(file)
    return await add(store)
  } catch (error) {
    if (isNew) for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
    throw error
  }
}

/**
 * Opens a store that must be there already.
 *
 * @throws {FileError} no such file
 */
export async function openExistingFeedback(file: string): Promise<FeedbackStore> {
  if (isDatabaseUrl(file) || existsSync(file)) return await openFeedback(file)
  throw new FileError({
    where: file,
    expected: 'a feedback store',
    received: 'no such file',
    remedy: 'check the path, or import labels first: attune feedback import',
  })
}
