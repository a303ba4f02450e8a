/**
 * `study`: repeats the analyses of Lee et al. and of Fan et al. on the embedded world over seeds, and writes for each claim
 * what the figures say. Every step stays in the folder, so a second run computes only what changed; what files of other runs say
 * is not computed at all.
 */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { version } from '../../scripts/setup/places.mjs'
import { CommandLanes } from '../command-lanes.ts'
import { optionalCount } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import { writeFileAtomic } from '../files.ts'
import { machineName } from '../machine-name.ts'
import { makeFolder } from '../run-folder.ts'
import { lockName, takeLock } from '../run-lock.ts'
import { scriptBeside } from '../script-beside.ts'
import { describeLibrary } from '../tensor/library.ts'
import { choiceOf, tunedSteps } from './choices.ts'
import { armKey, readKnown, resultsJson, type Found, type KnownResults } from './known-results.ts'
import { resultsCsv, resultsText } from './results-text.ts'
import type { Provenance, Results, Row, StudyResult } from './results.ts'
import { runSteps } from './run-steps.ts'
import { isDone, secondsOf, Steps, type Step } from './steps.ts'
import { studies } from './studies/index.ts'
import type { Arm, Coefficients, Finding, Study, StudySize } from './study.ts'
import { studyPage } from './study-page.ts'
import { writeStudyPrompts } from './study-prompts.ts'
import { tuningSeed } from './tuning.ts'

const names = studies.map(({ name }) => name)

export const StudyConfig = z.strictObject({
  only: z
    .array(z.string())
    .default([])
    .meta({
      description: 'Studies to repeat, by name or by number; all of them without it.',
      expected: names.join(','),
    }),
  seeds: optionalCount(tuningSeed).describe('Seeds of every figure; five, and two of a small study, without it.'),
  firstSeed: z
    .int()
    .min(0)
    .max(tuningSeed - 1)
    .default(0)
    .describe('The seeds are this one and those after it: for a machine that computes a part of them.'),
  small: z
    .boolean()
    .default(false)
    .describe('The same code with less of everything, in some minutes: its figures mean nothing.'),
  minutes: z
    .int()
    .min(0)
    .max(10_000)
    .nullable()
    .default(null)
    .describe('Begins nothing new after so many minutes, of 0 nothing at all; the same command goes on.'),
  processes: optionalCount(1024).describe('Steps at once; as many as cores without it.'),
  known: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Files results.json of other folders or machines: what they have measured and chosen is not computed again.',
    ),
  out: z.string().min(1).default('runs/study').describe('Folder of all steps, and of what was found.'),
})
export type StudyConfig = z.infer<typeof StudyConfig>

const full: StudySize = {
  promptStride: 1,
  labelledPerPrompt: 32,
  drawnPerPrompt: 20,
  updates: 450,
  imagesPerPrompt: 4,
  klRollouts: 64,
}
const small: StudySize = {
  promptStride: 4,
  labelledPerPrompt: 4,
  drawnPerPrompt: 2,
  updates: 6,
  imagesPerPrompt: 2,
  klRollouts: 8,
}
/**
 * @param all studies that there are
 * @returns the path of the page
 * @throws {ConfigError} no study of a name
 * @throws {FileError} a file of known results cannot be read
 * @throws {FormatError} a file of known results is none
 * @throws {RunInUseError} another process computes in that folder
 */
export async function runStudy(config: StudyConfig, all: readonly Study[] = studies): Promise<string> {
  const { only, out } = config
  const chosen = only.length === 0 ? all : only.map(studyNamed)
  const seeds = seedsOf(config)
  const known = await readKnown(config.known)
  makeFolder(out)
  takeLock(out)
  try {
    return await computeStudies(chosen, seeds, config, known)
  } finally {
    rmSync(join(out, lockName), { force: true })
  }
}

async function computeStudies(
  chosen: readonly Study[],
  seeds: readonly number[],
  config: StudyConfig,
  known: KnownResults,
): Promise<string> {
  const { out, minutes } = config
  const size = config.small ? small : full
  const until = minutes === null ? Infinity : performance.now() + 60_000 * minutes
  const prompts = await writeStudyPrompts(out, size)
  const steps = new Steps(join(out, 'steps'))
  const compute = async (wanted: readonly Step[]) => {
    using lanes = new CommandLanes(fileURLToPath(scriptBeside(import.meta.url, '../cli')), out)
    const processes = config.processes ?? availableParallelism()
    const note = (text: string) => process.stderr.write(`${text}\n`)
    return await runSteps(steps.withNeeds(wanted), lanes, { processes, until, note })
  }

  const tunings = new Map(chosen.flatMap((study) => study.tunings).map((tuning) => [tuning.name, tuning]))
  const bench = { seed: tuningSeed, size, steps, prompts: prompts.tuning }
  const tuned = [...tunings.values()].map((tuning) => tunedSteps(tuning, bench))
  const open = tuned.filter((one) => choiceOf(one, known) === undefined)
  const tuningOutcome = await compute(open.flatMap(({ candidates }) => candidates.map(({ report }) => report)))
  const choices = tuned.flatMap((one) => {
    const found = choiceOf(one, known, tuningOutcome.failed)
    return found === undefined ? [] : [{ ...one, found }]
  })
  const coefficients = Object.fromEntries(choices.map(({ name, found }) => [name, found.value]))

  const planned = chosen
    .filter(({ tunings }) => tunings.every(({ name }) => coefficients[name] !== undefined))
    .map((study) => ({
      study,
      arms: seeds.map((seed) => study.arms({ seed, size, steps, prompts: prompts.figures }, coefficients)),
    }))
  const arms = planned.flatMap((one) => one.arms.flat())
  const outcome = await compute(
    arms.flatMap((arm) => (isHere(arm) || known.measured.has(armKey(arm)) ? [] : [arm.step])),
  )
  const failed = new Map([...tuningOutcome.failed, ...outcome.failed])
  const measured = new Map(
    arms.flatMap((arm) => {
      const found = isHere(arm) ? { value: arm.read(), steps: [arm.step], runs: [] } : known.measured.get(armKey(arm))
      return found === undefined ? [] : [[arm, found] as const]
    }),
  )
  const runs = runsOf([...choices.map(({ found }) => found), ...measured.values()], steps)
  const results: Results = {
    results: planned.map((one) => resultOf(one.study, seeds, one.arms, { coefficients, measured, failed })),
    isSmall: config.small,
    runs,
  }
  writeFileAtomic(join(out, 'results.csv'), resultsCsv(results))
  writeFileAtomic(join(out, 'results.md'), resultsText(results))
  const tunedTo = choices.map(({ name, key, found }) => [name, { key, coefficients: found.value }] as const)
  const findings = [...measured].map(([arm, { value }]) => [arm, value] as const)
  writeFileAtomic(join(out, 'results.json'), resultsJson(runs, Object.fromEntries(tunedTo), findings))
  const page = join(out, 'study.html')
  writeFileAtomic(page, studyPage(results))
  if (tuningOutcome.isCutOff || outcome.isCutOff) process.stderr.write('study: time is up; the same command goes on\n')
  return page
}

/** What an arm says stands in its step and, seconds of training, in what that needs. */
const isHere = ({ step }: Arm): boolean => [step, ...step.needs].every(isDone)

/** Those that files name, each once, then this one, where anything rests on steps of its own. */
function runsOf(found: readonly Found<unknown>[], steps: Steps): readonly Provenance[] {
  const others = new Map(found.flatMap(({ runs }) => runs).map((run) => [JSON.stringify(run), run]))
  const own = steps.withNeeds(found.flatMap((one) => one.steps)).filter(isDone)
  if (own.length === 0) return [...others.values()]
  const seconds = own.reduce((sum, step) => sum + secondsOf(step), 0)
  const date = new Date().toISOString().slice(0, 10)
  return [...others.values(), { date, machine: machineName(), torch: describeLibrary().version, version, seconds }]
}

/** @throws {ConfigError} the seed of the choice of coefficients is among them */
function seedsOf({ seeds, firstSeed, small }: StudyConfig): number[] {
  const count = seeds ?? (small ? 2 : 5)
  if (firstSeed + count <= tuningSeed) return Array.from({ length: count }, (_, i) => firstSeed + i)
  throw new ConfigError({
    where: '--seeds',
    expected: `seeds below ${tuningSeed}, on which coefficients are chosen`,
    received: `${firstSeed} to ${firstSeed + count - 1}`,
    remedy: 'give fewer, or a smaller --first-seed',
  })
}

function studyNamed(name: string): Study {
  const study = studies.find((one, i) => one.name === name || String(i + 1) === name)
  if (study !== undefined) return study
  const expected = `one of ${names.join(', ')}, or a number from 1 to ${names.length}`
  throw new ConfigError({ where: '--only', expected, received: name, remedy: 'leave it out for all studies' })
}

/** What is known once nothing more is computed. */
interface Known {
  readonly coefficients: Readonly<Record<string, Coefficients>>
  readonly measured: ReadonlyMap<Arm, Found<readonly Finding[]>>
  readonly failed: ReadonlyMap<Step, string>
}

function resultOf(
  study: Study,
  seeds: readonly number[],
  arms: readonly (readonly Arm[])[],
  { coefficients, measured, failed }: Known,
): StudyResult {
  const all = arms.flatMap((ofSeed, i) => ofSeed.map((arm) => ({ arm, seed: seeds[i], found: measured.get(arm) })))
  const missing = all.flatMap(({ arm: { title, step }, seed, found }) =>
    found === undefined ? [{ title, seed, reason: failed.get(step) ?? 'not computed yet' }] : [],
  )
  return {
    study,
    seeds,
    arms: new Map(all.map(({ arm: { name, title, at } }) => [name, { title, at }])),
    rows: all.flatMap(({ arm, seed, found }) =>
      (found?.value ?? []).map(({ measure, split, value }): Row => ({ arm: arm.name, seed, measure, split, value })),
    ),
    chosen: Object.fromEntries(study.tunings.map(({ name }) => [name, coefficients[name]])),
    failures: [...Map.groupBy(missing, ({ title, reason }) => JSON.stringify([title, reason])).values()].map(
      (those) => {
        const [{ title, reason }] = those
        return `${title}, ${those.length === 1 ? 'seed' : 'seeds'} ${those.map(({ seed }) => seed).join(', ')}: ${reason}`
      },
    ),
  }
}
