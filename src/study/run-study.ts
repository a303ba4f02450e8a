/**
 * `study`: repeats the analyses of Lee et al. and of Fan et al. on the embedded world over seeds, and writes for each claim
 * what the figures say. Every step stays in the folder, so a second run computes only what changed.
 */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mean } from 'simple-statistics'
import { z } from 'zod'
import { version } from '../../scripts/setup/places.mjs'
import { CommandLanes } from '../command-lanes.ts'
import { optionalCount } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import { writeFileAtomic } from '../files.ts'
import { machineName } from '../machine-name.ts'
import { writePrompts } from '../prompts/prompt-file.ts'
import { hashOfJson } from '../content-hash.ts'
import { categories, type Prompt } from '../records.ts'
import { makeFolder } from '../run-folder.ts'
import { lockName, takeLock } from '../run-lock.ts'
import { scriptBeside } from '../script-beside.ts'
import { captionFaults, colorShare } from '../shapes/captions.ts'
import { allPrompts, seenPrompts, unseenPrompts } from '../shapes/split.ts'
import { describeLibrary } from '../tensor/library.ts'
import { findingsOf, tuningReport } from './recipes.ts'
import { resultsCsv, resultsText } from './results-text.ts'
import type { Results, Row, StudyResult } from './results.ts'
import { runSteps } from './run-steps.ts'
import { isDone, secondsOf, Steps, type Source, type Step } from './steps.ts'
import { studies } from './studies/index.ts'
import type { Arm, Bench, Coefficients, Study, StudyPrompts, StudySize, Tuning } from './study.ts'
import { studyPage } from './study-page.ts'
import { choose, tuningSeed } from './tuning.ts'

const names = studies.map(({ name }) => name)

export const StudyConfig = z.strictObject({
  only: z
    .array(z.string())
    .default([])
    .meta({
      description: 'Studies to repeat, by name or by number; all of them without it.',
      expected: names.join(','),
    }),
  seeds: optionalCount(100).describe('Seeds of every figure, from 0 on; five, and two of a small study, without it.'),
  small: z
    .boolean()
    .default(false)
    .describe('The same code with less of everything, in some minutes: its figures mean nothing.'),
  minutes: optionalCount(10_000).describe('Begins nothing new after so many minutes; the same command goes on.'),
  processes: optionalCount(1024).describe('Steps at once; as many as cores without it.'),
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
/** Every so many of the seen prompts is held out from fine-tuning while coefficients are chosen. */
const heldOutEvery = 5

/**
 * @param all studies that there are
 * @returns the path of the page
 * @throws {ConfigError} no study of a name
 * @throws {RunInUseError} another process computes in that folder
 */
export async function runStudy(config: StudyConfig, all: readonly Study[] = studies): Promise<string> {
  const { only, out } = config
  const chosen = only.length === 0 ? all : only.map(studyNamed)
  makeFolder(out)
  takeLock(out)
  try {
    return await computeStudies(chosen, config)
  } finally {
    rmSync(join(out, lockName), { force: true })
  }
}

async function computeStudies(chosen: readonly Study[], config: StudyConfig): Promise<string> {
  const { out, minutes } = config
  const size = config.small ? small : full
  const seeds = Array.from({ length: config.seeds ?? (config.small ? 2 : 5) }, (_, seed) => seed)
  const until = minutes === null ? Infinity : performance.now() + 60_000 * minutes
  const prompts = await writeStudyPrompts(out, size)
  const steps = new Steps(join(out, 'steps'))
  const compute = async () => {
    using lanes = new CommandLanes(fileURLToPath(scriptBeside(import.meta.url, '../cli')), out)
    const processes = config.processes ?? availableParallelism()
    const note = (text: string) => process.stderr.write(`${text}\n`)
    return await runSteps(steps.all, lanes, { processes, until, note })
  }

  const tunings = new Map(chosen.flatMap((study) => study.tunings).map((tuning) => [tuning.name, tuning]))
  const bench = { seed: tuningSeed, size, steps, prompts: prompts.tuning }
  const tuned = new Map([...tunings].map(([name, tuning]) => [name, tuningSteps(tuning, bench)]))
  const tuningOutcome = await compute()
  const coefficients = Object.fromEntries(
    [...tuned].flatMap(([name, candidates]) => {
      const found = chosenOf(candidates, tuningOutcome.failed)
      return found === undefined ? [] : [[name, found]]
    }),
  )

  const planned = chosen
    .filter(({ tunings }) => tunings.every(({ name }) => coefficients[name] !== undefined))
    .map((study) => ({
      study,
      arms: seeds.map((seed) => study.arms({ seed, size, steps, prompts: prompts.figures }, coefficients)),
    }))
  const outcome = await compute()
  const failed = new Map([...tuningOutcome.failed, ...outcome.failed])
  const results: Results = {
    results: planned.map(({ study, arms }) => resultOf(study, seeds, arms, coefficients, failed)),
    isSmall: config.small,
    date: new Date().toISOString().slice(0, 10),
    machine: machineName(),
    torch: describeLibrary().version,
    version,
    seconds: steps.all.filter(isDone).reduce((sum, step) => sum + secondsOf(step), 0),
  }
  writeFileAtomic(join(out, 'results.csv'), resultsCsv(results))
  writeFileAtomic(join(out, 'results.md'), resultsText(results))
  const page = join(out, 'study.html')
  writeFileAtomic(page, studyPage(results))
  if (tuningOutcome.isCutOff || outcome.isCutOff) process.stderr.write('study: time is up; the same command goes on\n')
  return page
}

function studyNamed(name: string): Study {
  const study = studies.find((one, i) => one.name === name || String(i + 1) === name)
  if (study !== undefined) return study
  const expected = `one of ${names.join(', ')}, or a number from 1 to ${names.length}`
  throw new ConfigError({ where: '--only', expected, received: name, remedy: 'leave it out for all studies' })
}

/** The prompts of figures, and those of the choice of coefficients. */
async function writeStudyPrompts(
  out: string,
  { promptStride }: StudySize,
): Promise<{ figures: StudyPrompts; tuning: StudyPrompts }> {
  const write = async (name: string, prompts: readonly Prompt[]): Promise<Source> => {
    const path = join(out, `${name}.jsonl`)
    await writePrompts(path, prompts)
    return { key: hashOfJson(prompts), path }
  }
  const single = async (prompt: Prompt) => ({ ...prompt, ...(await write(`one-${prompt.category}`, [prompt])) })
  const some = (prompts: readonly Prompt[]) => prompts.filter((_, i) => i % promptStride === 0)
  const all = some(seenPrompts())
  const trained = all.filter((_, i) => i % heldOutEvery !== 0)
  const heldOut = all.filter((_, i) => i % heldOutEvery === 0)
  const half = Math.ceil(heldOut.length / 2)
  const seen = await write('seen', all)
  const others = unseenPrompts()
  const allBut = (name: string, heldBack: readonly Prompt[]) => {
    const ids = new Set([...others, ...heldBack].map(({ id }) => id))
    return write(name, some(allPrompts().filter(({ id }) => !ids.has(id))))
  }
  const singles = categories.flatMap((category) => all.find((prompt) => prompt.category === category) ?? [])
  const groups = await writeGroups(all, write)
  const common = { labelled: seen, singles: await Promise.all(singles.map((one) => single(one))), ...groups }
  return {
    figures: {
      ...common,
      trained: seen,
      trainedCount: all.length,
      many: await allBut('many', []),
      seen,
      unseen: await write('unseen', some(others)),
    },
    tuning: {
      ...common,
      trained: await write('trained', trained),
      trainedCount: trained.length,
      many: await allBut('many-tuning', heldOut),
      seen: await write('held-out-a', heldOut.slice(0, half)),
      unseen: await write('held-out-b', heldOut.slice(half)),
    },
  }
}

/** The prompts by what pre-training captions were like. Those that no caption states are in no quarter. */
async function writeGroups(
  prompts: readonly Prompt[],
  write: (name: string, prompts: readonly Prompt[]) => Promise<Source>,
): Promise<Pick<StudyPrompts, 'faults' | 'colors'>> {
  const known = prompts
    .flatMap((prompt) => {
      const wrong = captionFaults(prompt.attributes!)?.wrong
      return wrong === undefined ? [] : [{ prompt, wrong }]
    })
    .sort((one, other) => one.wrong - other.wrong)
  const ofQuarter = (quarter: number) =>
    known.slice(Math.round((known.length * quarter) / 4), Math.round((known.length * (quarter + 1)) / 4))
  const colored = prompts
    .flatMap((prompt) => {
      const { object, color } = prompt.attributes!
      return color === undefined ? [] : [{ prompt, share: colorShare(object!, color) }]
    })
    .sort((one, other) => other.share - one.share)
  const half = Math.ceil(colored.length / 2)
  const writeAll = (name: string, of: readonly { readonly prompt: Prompt }[]) => write(name, of.map(({ prompt }) => prompt)) // prettier-ignore
  return {
    faults: await Promise.all(
      [0, 1, 2, 3].map(async (quarter) => {
        const of = ofQuarter(quarter)
        return { ...(await writeAll(`quarter-${quarter + 1}`, of)), wrong: mean(of.map(({ wrong }) => wrong)) }
      }),
    ),
    colors: {
      common: await writeAll('common', colored.slice(0, half)),
      rare: await writeAll('rare', colored.slice(half)),
    },
  }
}

interface TunedCandidate {
  readonly coefficients: Coefficients
  readonly report: Step
}

const tuningSteps = (tuning: Tuning, bench: Bench): TunedCandidate[] =>
  tuning.candidates.map((coefficients) => ({
    coefficients,
    report: tuningReport(bench, tuning.name, tuning.train(bench, coefficients)),
  }))

/** By the rule; of candidates that failed nothing is known. Undefined where not all others are measured yet. */
function chosenOf(all: readonly TunedCandidate[], failed: ReadonlyMap<Step, string>): Coefficients | undefined {
  const measured = all.filter(({ report }) => !failed.has(report))
  if (measured.length === 0 || !measured.every(({ report }) => isDone(report))) return undefined
  const looks = measured.map(({ report }) => {
    const of = (policy: string, measure: string) =>
      findingsOf(report, policy).find((finding) => finding.measure === measure)!.interval!
    return {
      reward: of('policy', 'mean-reward'),
      frechet: of('policy', 'frechet').mean,
      base: of('base', 'frechet').mean,
    }
  })
  return measured[choose(looks, looks[0].base)].coefficients
}

function resultOf(
  study: Study,
  seeds: readonly number[],
  arms: readonly (readonly Arm[])[],
  chosen: Readonly<Record<string, Coefficients>>,
  failed: ReadonlyMap<Step, string>,
): StudyResult {
  const rows = arms.flatMap((ofSeed, i) =>
    ofSeed
      .filter(({ step }) => isDone(step))
      .flatMap(({ name, read }) =>
        read().map(({ measure, split, value }): Row => ({ arm: name, seed: seeds[i], measure, split, value })),
      ),
  )
  const missing = arms.flat().filter(({ step }) => !isDone(step))
  return {
    study,
    seeds,
    arms: new Map(arms.flat().map(({ name, title, at }) => [name, { title, at }])),
    rows,
    chosen: Object.fromEntries(study.tunings.map(({ name }) => [name, chosen[name]])),
    failures: [...new Set(missing.map(({ step }) => `${step.title}: ${failed.get(step) ?? 'not computed yet'}`))],
  }
}
