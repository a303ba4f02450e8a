/** What the JSON formats of other tools share: a list of items, and images that are named by paths. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, join, posix, sep } from 'node:path'
import type { z } from 'zod'
import { ConfigError, FormatError } from '../../errors.ts'
import { readText } from '../../files.ts'
import type { Judgment } from '../../records.ts'
import { complaintOf } from '../issue-complaint.ts'
import type { OwnImage } from './own-images.ts'

/** What an import is told beside the file. */
export interface ForeignOptions {
  /** Of the file, for messages. */
  readonly name: string
  /** Who judged, and when, where the file does not say. */
  readonly rater: string
  readonly at: string
  /** The bytes of an image by the path that the file gives it; undefined where there is none. */
  readonly findFile: (path: string) => Uint8Array | undefined
}

/** What {@link readItems} reads. */
export interface Items<T> {
  /** Each with where it stands: `file.json item 3`. */
  readonly items: readonly { readonly where: string; readonly item: T }[]
  /** Values of fields that are not needed, and that make no sense: a line each field. */
  readonly aside: readonly string[]
}

/**
 * Items of a JSON list.
 *
 * @param schema of an item, or what finds the one that an item is to be read by
 * @param optional names of fields, wherever they stand, that are left aside where they are of another type
 * @throws {FormatError} no JSON, no list, or an item of another shape
 * @throws {FileError} the file cannot be read
 */
export async function readItems<S extends z.ZodType>(
  file: string,
  name: string,
  schema: S | ((given: unknown) => S),
  what: string,
  optional: readonly string[] = [],
): Promise<Items<z.output<S>>> {
  let list: unknown
  try {
    list = JSON.parse(await readText(file))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FormatError({
      where: name,
      expected: 'JSON',
      received: cause.message,
      remedy: 'correct the syntax',
      cause,
    })
  }
  if (!Array.isArray(list) || list.length === 0) {
    const received = Array.isArray(list) ? 'an empty one' : Object(list) === list ? 'an object' : JSON.stringify(list)
    throw new FormatError({ where: name, expected: `a list of ${what}`, received, remedy: 'is it of another format?' })
  }
  const aside = new Map<string, { told: string; count: number }>()
  const isOptional = ({ path }: z.core.$ZodIssue) => optional.includes(String(path.at(-1)))
  const items = (list as readonly unknown[]).map((given, place) => {
    const where = `${name} item ${place + 1}`
    const shape = typeof schema === 'function' ? schema(given) : schema
    const parsed = shape.safeParse(given)
    if (parsed.success) return { where, item: parsed.data }
    const { issues } = parsed.error
    if (!issues.every(isOptional)) throw refusedItem(parsed.error, given, where, what)
    for (const issue of issues) {
      const { expected, received } = complaintOf(issue, given)
      const told = `${[where, ...issue.path].join(' ')}: expected ${expected}, received ${received}`
      const field = String(issue.path.at(-1))
      const { count, told: first } = aside.get(field) ?? { count: 0, told }
      aside.set(field, { told: first, count: count + 1 })
    }
    return { where, item: shape.parse(withoutFields(given, issues)) }
  })
  return {
    items,
    aside: [...aside.values()].map(
      ({ told, count }) => `${told} — ${count === 1 ? 'its value is' : `${count} such values are`} not used`,
    ),
  }
}

function withoutFields(given: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(given)
  for (const { path } of issues) {
    let parent = copy
    for (const step of path.slice(0, -1)) parent = (Object(parent) as Record<PropertyKey, unknown>)[step]
    Reflect.deleteProperty(Object(parent) as object, path.at(-1)!)
  }
  return copy
}

/** The first thing that an item cannot do without. */
function refusedItem(error: z.ZodError, given: unknown, where: string, what: string): FormatError {
  const [issue] = error.issues
  const { expected, received } = complaintOf(issue, given)
  const isRank = /^ranks?(ing)?$/.test(String(issue.path.at(-2))) || issue.path.at(-2) === 'human_preference'
  return new FormatError({
    where: [where, ...issue.path].join(' '),
    expected:
      issue.path.length === 0
        ? `one of ${what}`
        : isRank
          ? `${expected}; equal ones are ties`
          : `${expected}, as ${what} have`,
    received: issue.code === 'custom' ? issue.message : received,
    remedy: issue.path.length === 0 ? 'name the format that the file is of' : 'correct the item',
    cause: error,
  })
}

/**
 * Finds images in a folder by the paths of a file of judgments; see {@link findingByPath}. Nothing outside the folder is
 * read.
 */
export function filesIn(folder: string): ForeignOptions['findFile'] {
  const inside = existsSync(folder) ? realpathSync(folder) + sep : undefined
  return findingByPath((name) => {
    if (inside === undefined || name.includes('\0')) return undefined
    const file = join(inside, name)
    if (!isFile(file)) return undefined
    const real = realpathSync(file)
    return real.startsWith(inside) ? real : undefined
  })
}

/**
 * Finds files by paths: under the path itself, its last part, or that without the eight digits that Label Studio puts
 * before a name.
 *
 * @param placeOf the file of a name, if there is one
 * @returns throws {ConfigError} where two paths would be one file: the folders that told them apart are gone, and with them
 *   which of the two pictures it is
 */
export function findingByPath(placeOf: (name: string) => string | undefined): ForeignOptions['findFile'] {
  const meant = new Map<string, string>()
  return (path) => {
    const plain = posix.normalize(path.replaceAll('\\', '/'))
    const last = basename(plain)
    for (const name of [path, last, last.replace(/^[0-9a-f]{8}-/, '')]) {
      const file = placeOf(name)
      if (file === undefined) continue
      const other = meant.get(file) ?? plain
      if (other === plain) {
        meant.set(file, plain)
        return readFileSync(file)
      }
      throw new ConfigError({
        where: `image ${path}`,
        expected: 'a picture of its own',
        received: `${name}, which ${other} means as well`,
        remedy: 'keep them in the folders that the paths name, below --image-folder on the command line',
      })
    }
    return undefined
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    // Also where the system takes no such name.
    return false
  }
}

/** What the store itself exports is named by its id. */
export const idIn = (path: string): string => basename(path).replace(/\.[a-z]+$/, '')

/** The image that a path names, as the import of images takes it. */
export const imageAt = (path: string, text: string, findFile: ForeignOptions['findFile']): OwnImage => ({
  text,
  name: path,
  stated: { id: idIn(path) },
  bytes: () => Promise.resolve(findFile(path)),
})

/** A pair where there are two images, else a ranking; 1 is best, equal ranks are ties. */
export function comparisonOf(
  { images, rater, at }: Pick<Judgment, 'images' | 'rater' | 'at'>,
  ranks: readonly number[],
): Judgment {
  const shared = { id: '', images, rater, raterKind: 'person', at } as const
  if (ranks.length !== 2) return { ...shared, kind: 'ranking', answer: 'ranked', ranks: [...ranks] }
  const [first, second] = ranks
  return { ...shared, kind: 'pair', answer: first === second ? 'tie' : first < second ? 'first' : 'second' }
}
