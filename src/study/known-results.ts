/**
 * `results.json`: what a study has measured, by the keys of its steps, for the `--known` of another run. Equal keys mean
 * equal contents, so what such a file says of a step holds wherever the step was computed.
 */
import { statSync } from 'node:fs'
import { z } from 'zod'
import { checked } from '../checked.ts'
import { FileError, FormatError } from '../errors.ts'
import { readText } from '../files.ts'
import { jsonComplaint, mostConfigCharacters, parsePythonJson } from '../networks/checkpoint/python-json.ts'
import { splits } from '../report/schema.ts'
import { measureNames, type Provenance } from './results.ts'
import type { Step } from './steps.ts'
import type { Coefficients, Finding } from './study.ts'

const remedy = 'give the results.json of a folder of a study, as `study` wrote it'

const key = z.string().regex(/^[0-9a-f]{16}$/, 'expected a key of 16 hex digits')
const name = z.string().min(1).max(200)
/** It is shown on pages. */
const fact = z.string().regex(/^[^\p{Cc}<>]{1,200}$/u, 'expected at most 200 characters without line ends, < and >')
const Run: z.ZodType<Provenance> = z.strictObject({
  date: z.iso.date(),
  machine: fact,
  torch: fact,
  version: fact,
  seconds: z.number().nonnegative(),
})
const ResultsFile = z.strictObject({
  schema: z.literal(1),
  /** All that it comes from. */
  runs: z.array(Run),
  /** By the name of the tuning; its key is that of its candidates. */
  chosen: z.record(name, z.strictObject({ key, coefficients: z.record(name, z.number()) })),
  /** By the key of a step, then by what of it is told. */
  measured: z.record(
    key,
    z.record(name, z.array(z.tuple([z.enum(measureNames), z.enum(splits).nullable(), z.number()]))),
  ),
})
type ResultsFile = z.infer<typeof ResultsFile>

/** Of an arm, by which its numbers are known. */
interface PartOfStep {
  readonly step: Pick<Step, 'key'>
  readonly part: string
}

/** What was found, and where it comes from: steps of the own folder, or runs that a file names. */
export interface Found<T> {
  readonly value: T
  readonly steps: readonly Step[]
  readonly runs: readonly Provenance[]
  /** The file that says it. */
  readonly file?: string
}

export interface KnownResults {
  /** By the key of a tuning. */
  readonly chosen: ReadonlyMap<string, Found<Coefficients>>
  /** By {@link armKey}. */
  readonly measured: ReadonlyMap<string, Found<readonly Finding[]>>
}

export const armKey = ({ step, part }: PartOfStep): string => `${step.key} ${part}`

/**
 * Of files that say the same thing, the first counts.
 *
 * @throws {FileError} one is missing or cannot be read
 * @throws {FormatError} one is no such file
 */
export async function readKnown(files: readonly string[]): Promise<KnownResults> {
  const contents = await Promise.all(files.map(async (file) => ({ file, ...(await readResults(file)) })))
  const lastFirst = contents.reverse()
  return {
    chosen: new Map(
      lastFirst.flatMap(({ file, runs, chosen }) =>
        Object.values(chosen).map(({ key, coefficients }) => [key, { value: coefficients, steps: [], runs, file }]),
      ),
    ),
    measured: new Map(
      lastFirst.flatMap(({ file, runs, measured }) =>
        Object.entries(measured).flatMap(([key, parts]) =>
          Object.entries(parts).map(([part, rows]) => {
            const value = rows.map(([measure, split, value]) => ({ measure, ...(split && { split }), value }))
            return [armKey({ step: { key }, part }), { value, steps: [], runs, file }]
          }),
        ),
      ),
    ),
  }
}

async function readResults(file: string): Promise<ResultsFile> {
  const complaint = { where: file, expected: 'the results.json of a study', remedy }
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isFile() !== true) {
    throw new FileError({ ...complaint, received: stat === undefined ? 'no such file' : 'no file' })
  }
  if (stat.size > mostConfigCharacters) {
    throw new FormatError({ ...complaint, received: `${Math.round(stat.size / 1e6)} MB` })
  }
  const text = await readText(file)
  let content: unknown
  try {
    content = parsePythonJson(text)
  } catch (cause) {
    throw new FormatError({ ...complaint, received: jsonComplaint(cause), cause })
  }
  return checked(ResultsFile, content, file, remedy)
}

/** What {@link readKnown} reads. */
export function resultsJson(
  runs: readonly Provenance[],
  chosen: ResultsFile['chosen'],
  arms: Iterable<readonly [PartOfStep, readonly Finding[]]>,
): string {
  const measured: ResultsFile['measured'] = {}
  for (const [{ step, part }, findings] of arms) {
    const ofStep = (measured[step.key] ??= {})
    ofStep[part] = findings.map(({ measure, split = null, value }) => [measure, split, value])
  }
  const file: ResultsFile = { schema: 1, runs: [...runs], chosen, measured }
  return `${JSON.stringify(file)}\n`
}
