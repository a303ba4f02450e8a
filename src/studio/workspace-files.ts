/**
 * Reading files of a workspace, any of which may be torn, empty, huge or something else: what is wrong with one is told, and
 * nothing beside it suffers.
 */
import { readFileSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import type { z } from 'zod'
import { AttuneError, FormatError } from '../errors.ts'
import type { Workspace } from './workspace.ts'

/** Nothing that a stage writes for the studio to read is larger, bytes. */
const largest = 50e6

/** A run, job or comparison of which a file cannot be read. */
export interface Broken {
  readonly name: string
  /** The file and what is wrong with it. */
  readonly reason: string
}

/** @throws {FormatError} missing, a folder, or larger than `most` bytes */
export function readBytes({ folder }: Workspace, file: string, most = largest): Buffer {
  const where = relative(folder, file)
  const refuse = (received: string, cause?: unknown) =>
    new FormatError({ where, expected: 'a file as its stage wrote it', received, remedy: 'make it again', cause })
  try {
    const stat = statSync(file)
    if (!stat.isFile()) throw refuse('no file')
    if (stat.size > most) throw refuse(`${Math.round(stat.size / 1e6)} MB`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw refuse((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message, error)
  }
}

/** @throws {FormatError} as {@link readBytes}, or no JSON, or of another shape */
export function readJson<S extends z.ZodType>(workspace: Workspace, file: string, schema: S): z.output<S> {
  const where = relative(workspace.folder, file)
  const text = readBytes(workspace, file).toString('utf8')
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    const received = text === '' ? 'an empty file' : 'none, or a part of one'
    throw new FormatError({ where, expected: 'JSON', received, remedy: 'make it again', cause })
  }
  return shaped(schema, content, where)
}

/** @throws {FormatError} another shape */
export function shaped<S extends z.ZodType>(schema: S, content: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FormatError({
    where: [where, issue.path.map(String).join('.')].join(' ').trim(),
    expected: 'what its stage wrote',
    received: issue.message,
    remedy: 'make it again',
    cause: parsed.error,
  })
}

/** What can be made of each; the others are told. */
export function whatWorks<T extends { readonly name: string }, U>(
  all: readonly T[],
  make: (one: T) => U,
): { readonly made: U[]; readonly broken: Broken[] } {
  const made: U[] = []
  const broken: Broken[] = []
  for (const one of all) {
    try {
      made.push(make(one))
    } catch (error) {
      broken.push({ name: one.name, reason: reasonOf(error) })
    }
  }
  return { made, broken }
}

/** @throws what is no complaint of ours */
export function reasonOf(error: unknown): string {
  if (!(error instanceof AttuneError)) throw error
  return `${error.where}: ${error.received}`
}
