/**
 * One strict zod schema per stage is the source of its flags, of its `--help` text and of its `config.json`. Every field
 * has a default and a sentence: `klWeight: z.number().nonnegative().default(0.01).describe('Weight of the KL, 1/nats.')`.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, FileError, FormatError } from './errors.ts'
import { insteadOf } from './foreign-flags.ts'

/** A strict object schema whose fields are numbers, strings, booleans, enums, or lists of these. */
export type StageSchema = z.ZodObject

/** One field of a stage's schema as the command line shows it. */
export interface Flag {
  /** `klWeight` */
  readonly field: string
  /** `--kl-weight` */
  readonly flag: string
  readonly type: 'number' | 'text' | 'boolean' | 'list'
  /** A list of texts that may hold commas: the flag is given once for each. */
  readonly repeatable: boolean
  /** What is accepted, in words: `a number ≥ 0`. */
  readonly expected: string
  readonly sentence: string
  /** Undefined where there is none: the flag has to be given, unless it is optional. */
  readonly default: unknown
}

interface Property {
  /** A list where a number without bounds, or a plain text, may be null. */
  type?: string | string[]
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  anyOf?: Property[]
  items?: Property
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  /** From the schema's `meta`. */
  repeatable?: boolean
  expected?: string
}

/** The flags of a stage, in the order of its schema. */
export function flagsOf(schema: StageSchema): Flag[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Property>
  }
  return Object.entries(properties).map(([field, property]) => ({
    field,
    flag: flagName(field),
    type: flagType(property),
    repeatable: property.repeatable === true,
    expected: property.expected ?? (property.repeatable === true ? 'a text that is not empty' : inWords(property)),
    sentence: property.description ?? '',
    default: property.default,
  }))
}

/** `klWeight` → `--kl-weight` */
export const flagName = (field: string) => `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** What the config of a stage is made from; flags win over the file, the file over the defaults. */
interface ConfigSources {
  /** `reward train`: a config file that names another stage is refused. */
  readonly stage: string
  /** A JSON file, such as the `config.json` of an earlier run. */
  readonly file?: string
  /** By field; a string is read as the field's type. */
  readonly flags?: Readonly<Record<string, unknown>>
}

/**
 * The checked config of a stage.
 *
 * @throws {ConfigError} names the flag or field, what is accepted and what was given
 * @throws {FileError | FormatError} the config file is missing or no JSON
 */
export function parseConfig<S extends StageSchema>(schema: S, sources: ConfigSources): z.output<S> {
  const { stage, file, flags: given = {} } = sources
  const flags = flagsOf(schema)
  const fromFile = file === undefined ? {} : readConfigFile(file, stage)
  const fromFlags = flags
    .filter(({ field }) => given[field] !== undefined)
    .map((flag): [string, unknown] => [flag.field, readValue(flag, given[flag.field])])
  const merged: Record<string, unknown> = { ...fromFile, ...Object.fromEntries(fromFlags) }
  const parsed = schema.safeParse(merged)
  if (parsed.success) return parsed.data

  const [issue] = parsed.error.issues
  const inFile = (field: string) => given[field] === undefined && field in fromFile
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys
    const near = nearest(
      key,
      flags.map(({ field }) => field),
    )
    throw new ConfigError({
      where: `${file} ${key}`,
      expected: `a setting of ${stage}`,
      received: 'an unknown one',
      remedy:
        insteadOf(
          key,
          flags.map(({ flag }) => flag),
        ) ?? (near === undefined ? `see attune ${stage} --help` : `did you mean ${near}?`),
      cause: parsed.error,
    })
  }
  const field = String(issue.path[0] ?? '')
  const flag = flags.find((candidate) => candidate.field === field)
  const value = merged[field]
  throw new ConfigError({
    where: flag === undefined ? `attune ${stage}` : inFile(field) ? `${file} ${field}` : flag.flag,
    expected: issue.code === 'custom' || flag === undefined ? issue.message : flag.expected,
    // JSON has no ∞ and no NaN.
    received:
      value === undefined
        ? 'nothing'
        : typeof value === 'number'
          ? String(value)
          : withoutSecrets(JSON.stringify(value)),
    remedy: flag === undefined ? `see attune ${stage} --help` : flag.sentence || `see attune ${stage} --help`,
    cause: parsed.error,
  })
}

/** Text whose addresses have neither a user nor a password nor a query: it goes into logs. */
const withoutSecrets = (text: string) =>
  text.replaceAll(/:\/\/[^/\s"]*@/g, '://…@').replaceAll(/(https?:\/\/[^?\s"]*)\?[^\s,"]*/gi, '$1?…')

/** The known word with the fewest edits, where it is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 100) return undefined
  const ranked = known
    .map((candidate) => ({ candidate, distance: edits(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(1, word.length / 3) ? best.candidate : undefined
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]
}

function readConfigFile(file: string, stage: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const received = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message
    throw new FileError({
      where: `--config ${file}`,
      expected: 'a JSON file',
      received,
      remedy: 'check the path',
      cause,
    })
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    const received = (cause as Error).message
    throw new FormatError({ where: file, expected: 'JSON', received, remedy: 'mend the file', cause })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const remedy = 'write {"field": value, …}, as the config.json of a run does'
    throw new FormatError({ where: file, expected: 'an object', received: 'another JSON value', remedy })
  }
  const { stage: recorded, ...config } = content as Record<string, unknown>
  if (recorded !== undefined && recorded !== stage) {
    throw new ConfigError({
      where: `--config ${file}`,
      expected: `the config of ${stage}`,
      received: `one of ${String(recorded)}`,
      remedy: 'pass the config.json of a run of the same stage',
    })
  }
  return config
}

/** The command line has strings only; what cannot be read as the field's type is left for the schema to refuse. */
function readValue(flag: Flag, given: unknown): unknown {
  if (typeof given !== 'string') return given
  if (flag.type === 'number') return given.trim() === '' || Number.isNaN(Number(given)) ? given : Number(given)
  if (flag.repeatable) return [given]
  if (flag.type === 'list') {
    const parts = given.split(',').map((part) => part.trim())
    return flag.expected.includes('number') ? parts.map((part) => (part === '' ? part : Number(part))) : parts
  }
  return given
}

function variants(property: Property): Property[] {
  const all = Array.isArray(property.type)
    ? property.type.map((type) => ({ ...property, type }))
    : (property.anyOf ?? [property])
  return all.filter(({ type }) => type !== 'null')
}

function flagType(property: Property): Flag['type'] {
  const [first] = variants(property)
  if (first.type === 'number' || first.type === 'integer') return 'number'
  if (first.type === 'boolean') return 'boolean'
  return first.type === 'array' ? 'list' : 'text'
}

function inWords(property: Property): string {
  return variants(property).map(oneInWords).join(', or ')
}

function oneInWords(property: Property): string {
  if (property.enum) return `one of ${property.enum.join(' | ')}`
  if (property.const !== undefined) return String(property.const)
  switch (property.type) {
    case 'number':
    case 'integer': {
      const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = property
      const bounds = [
        exclusiveMinimum === undefined ? '' : ` > ${exclusiveMinimum}`,
        minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? '' : ` ≥ ${minimum}`,
        exclusiveMaximum === undefined ? '' : ` < ${exclusiveMaximum}`,
        maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : ` ≤ ${maximum}`,
      ].filter(Boolean)
      return `${property.type === 'integer' ? 'a whole number' : 'a number'}${bounds.join(' and')}`
    }
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a comma-separated list, each ${inWords(property.items ?? {})}`
    default:
      return 'text'
  }
}
