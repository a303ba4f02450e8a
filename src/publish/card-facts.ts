/** What a policy's run, what it was made from and the report that measured it say, as the facts of a model card. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { AttuneError } from '../errors.ts'
import { openExistingFeedback } from '../feedback/store/feedback-file.ts'
import { toldAlarms } from '../policy/alarms/alarm-record.ts'
import { costOf } from '../report/policy-cost.ts'
import { pastRun, type PastRun } from '../report/lineage.ts'
import { Report, type PolicyReport } from '../report/schema.ts'
import { inputsName } from '../run.ts'
import { manifestName, readJson } from '../run-folder.ts'
import { reportFiguresName } from '../run-files.ts'
import { sha256OfFile } from '../sha256.ts'
import { factsOf, takesInput, type StageName } from '../stages.ts'
import { readSafetensorsHeader } from '../tensor/safetensors.ts'
import { baseModelOf, familyOfWidth, publicName } from './base-model.ts'
import type { CardFacts, PolicyForm, ReportFacts, ReportRow, RewardFacts } from './facts.ts'

/** A file of a policy that is to be handed on. */
export interface HandedOn {
  readonly file: string
  /** As its readers find it. */
  readonly name: string
  readonly form: PolicyForm
  readonly strength: number
  /** `owner/name` where it is to be published. */
  readonly repository?: string
}

/**
 * @param source the run of a policy, or a LoRA file
 * @param model  that was named for it; without it what the run says
 * @throws {FileError | FormatError} not a finished run, or no file of a policy
 */
export async function cardFacts(source: string, handed: HandedOn, model: string | null = null): Promise<CardFacts> {
  const run = isRun(source) ? pastRun(source) : undefined
  const { entries, metadata } = readSafetensorsHeader(handed.file)
  const header = (field: string) => metadata[`attune.${field}`] ?? null
  const shapes = [...entries].map(([key, { shape }]) => [key, shape] as const)
  const width = shapes.find(([key]) => /attn2[._]to_k(\.lora_(A|down))?\.weight$/.test(key))?.[1][1]
  const ranks = new Set(shapes.flatMap(([key, shape]) => (/lora_(A|down)/.test(key) ? [shape[0]] : [])))
  const told = { name: header('model'), sha256: header('modelSha256') ?? textOf(run?.manifest.results.modelSha256) }
  return {
    name: run === undefined ? basename(source, '.safetensors') : basename(resolve(source)),
    file: {
      name: handed.name,
      bytes: statSync(handed.file).size,
      sha256: sha256OfFile(handed.file),
      form: handed.form,
      rank: ranks.size === 1 ? [...ranks][0] : null,
    },
    strength: handed.strength,
    repository: handed.repository ?? null,
    base: baseModelOf(model ?? textOf(run?.config.model), told, familyOfWidth(width)),
    training: run === undefined ? null : await trainingOf(run),
    rewards: run === undefined ? [] : rewardsOf(run),
    pairs: run === undefined ? null : await pairsOf(run),
    report: run === undefined ? null : reportOf(run),
  }
}

const isRun = (source: string) => existsSync(join(source, manifestName))

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

async function trainingOf(run: PastRun): Promise<CardFacts['training']> {
  const { manifest, config, folder } = run
  const { stage, results } = manifest
  const facts = factsOf(stage)
  const inputs = Object.entries(readJson(join(folder, inputsName)) ?? {})
  return {
    method: facts?.title ?? stage,
    sentence: facts?.sentence ?? '',
    paper: facts?.paper ?? null,
    finishedAt: manifest.finishedAt,
    version: manifest.version,
    torch: manifest.torch?.version ?? null,
    earlier: startsOf(run),
    cost: await orElse(() => costOf(run, new Set()), {
      imagesDrawn: numberOf(results.imagesDrawn),
      updates: numberOf(results.updates),
      seconds: numberOf(results.seconds),
    }),
    settings: settingsOf(config),
    inputs: inputs.flatMap(([name, hash]) =>
      typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) ? [[name, hash] as const] : [],
    ),
    alarms: toldAlarms(results) ?? null,
  }
}

/** What was removed since is not a reason to tell nothing of the rest. */
async function orElse<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AttuneError) return otherwise
    throw error
  }
}

/** Names of the policies that it was trained further from, the latest first. */
function startsOf(run: PastRun): string[] {
  const names: string[] = []
  for (let start = placeOf(run, run.manifest.parents.policy); start !== undefined;) {
    if (names.includes(basename(start))) break
    names.push(basename(start))
    start = isRun(start) ? placeOf(pastRun(start), pastRun(start).manifest.parents.policy) : undefined
  }
  return names
}

/** Where a parent of a run lies: as it was named, or beside the run where both were moved together. */
function placeOf({ folder }: PastRun, parent: string | undefined): string | undefined {
  if (parent === undefined || existsSync(parent)) return parent
  const beside = join(dirname(resolve(folder)), basename(parent))
  return existsSync(beside) ? beside : parent
}

/** Settings that name places of a machine, or that the card tells in its own words. */
const unsaid: ReadonlySet<string> = new Set([
  ...['stage', 'model', 'vae', 'modelConfig', 'encoder', 'reward', 'scorer', 'heldOutReward', 'policy', 'policies'],
  ...['prompts', 'prompt', 'promptColumn', 'images', 'feedback', 'trainDataDir', 'imageColumn', 'captionColumn'],
  ...['device', 'threads', 'out', 'resume', 'checkpointEvery', 'checkpointsKept', 'sampleEvery', 'samples'],
])

/** Numbers, switches and words of choices: no text of a person, and no path. */
function settingsOf(config: PastRun['config']): (readonly [string, string])[] {
  return Object.entries(config).flatMap(([field, value]): (readonly [string, string])[] => {
    const parts: unknown[] = Array.isArray(value) ? value : [value]
    const isPlain = parts.every(
      (part) => ['number', 'boolean'].includes(typeof part) || /^[\w-]{1,40}$/.test(textOf(part) ?? ''),
    )
    return unsaid.has(field) || parts.length === 0 || !isPlain ? [] : [[field, parts.map(String).join(', ')]]
  })
}

const Ends = z.tuple([z.number(), z.number()]).nullable().catch(null)
const figure = z.number().nullable().catch(null)
const count = z.number().catch(0)
/** As far as a manifest of `reward train` says it. */
const Learned = z.object({
  labels: count,
  comparisons: count,
  prompts: count,
  raters: count,
  simulated: z.boolean().catch(false),
  encoder: z.object({ name: z.string() }).nullable().catch(null),
  heldOut: z
    .object({
      n: count,
      auc: figure,
      aucInterval: Ends,
      clipScoreAuc: figure,
      comparisons: count,
      pairAccuracy: figure,
      pairAccuracyInterval: Ends,
    })
    .nullable()
    .catch(null),
})

/** The reward, or the parts of which it is composed. */
function rewardsOf(run: PastRun): RewardFacts[] {
  const roles = Object.keys(run.manifest.parents).filter((role) => /^reward( \d+)?$/.test(role))
  const parts = roles.length > 1 ? roles.filter((role) => role !== 'reward') : roles
  return parts.map((role) => {
    const given = run.manifest.parents[role]
    const place = placeOf(run, given)!
    if (!isRun(place)) return { name: publicName(given), learned: null }
    const { manifest } = pastRun(place)
    const { n, ...heldOut } = Learned.parse(manifest.results).heldOut ?? { n: 0 }
    const { simulated, encoder, ...learned } = Learned.parse(manifest.results)
    return {
      name: basename(resolve(place)),
      learned: {
        ...learned,
        isSimulated: simulated,
        encoder: encoder === null ? null : publicName(encoder.name),
        heldOut: 'auc' in heldOut ? { labels: n, ...heldOut } : null,
      },
    }
  })
}

async function pairsOf({ manifest: { stage, parents, results } }: PastRun): Promise<CardFacts['pairs']> {
  if (factsOf(stage) === undefined || !takesInput(stage as StageName, 'pairs')) return null
  const raters = await orElse(async () => {
    await using store = await openExistingFeedback(parents.feedback)
    return new Set((await store.judgments()).map(({ rater }) => rater)).size
  }, null)
  return { pairs: numberOf(results.pairs) + numberOf(results.heldOutPairs), raters }
}

/** The newest report beside the run that has measured it. */
function reportOf(run: PastRun): ReportFacts | null {
  const beside = dirname(resolve(run.folder))
  const found = readdirSync(beside)
    .map((name) => join(beside, name))
    .filter((folder) => existsSync(join(folder, reportFiguresName)) && isRun(folder))
    .flatMap((folder) => {
      const { manifest } = pastRun(folder)
      const [name] = Object.entries(manifest.parents).flatMap(([role, place]) =>
        // Before version 0.2 the role was the name alone.
        isThis(run, place) ? [role.replace(/^policy /, '')] : [],
      )
      return name === undefined ? [] : [{ folder, name, at: manifest.finishedAt }]
    })
    .sort((a, b) => b.at.localeCompare(a.at))
  for (const { folder, name, at } of found) {
    const { data } = Report.safeParse(readJson(join(folder, reportFiguresName)))
    const policy = data?.policies.find((one) => one.name === name)
    if (data !== undefined && policy !== undefined) return factsOfReport(basename(folder), at, data, policy)
  }
  return null
}

const isThis = ({ folder }: PastRun, place: string) =>
  resolve(place) === resolve(folder) || (!existsSync(place) && basename(place) === basename(resolve(folder)))

function factsOfReport(name: string, at: string, report: Report, policy: PolicyReport): ReportFacts {
  const base = report.policies.find((one) => one.name === 'base')!
  const { measurement, votes, caveats = [] } = report.details ?? {}
  const row = (title: string, of: (one: PolicyReport) => ReportRow['policy'] | null): ReportRow[] => {
    const own = of(policy)
    return own === null ? [] : [{ title, policy: own, base: of(base) }]
  }
  const by = policy.unseen.measuredBy
  return {
    name,
    at,
    machine: report.machine,
    alignment:
      by === 'judge'
        ? 'the share of images with every attribute of their prompt right'
        : `the share of images that ${measurement?.scorer === undefined ? 'the reward itself' : 'another reward'} prefers to the base model’s of the same prompt and noise`,
    rows: [
      ...row('alignment, prompts of the training', ({ seen }) => seen.alignment),
      ...row('alignment, prompts that no training has used', ({ unseen }) => unseen.alignment),
      ...row('mean reward', ({ meanReward }) => meanReward),
      ...row('Fréchet distance (smaller is closer)', ({ fidelity: { frechet, low, high } }) => ({
        mean: frechet,
        low,
        high,
      })),
      ...row('diversity', ({ diversity }) => diversity),
      ...row('KL to the base model, nats', ({ klNats }) => (klNats.of === 'none' ? null : klNats)),
    ],
    unseenDifference: policy.unseen.differenceToBase,
    imagesPerPrompt: measurement?.imagesPerPrompt ?? null,
    votes: (votes?.pairs ?? []).flatMap((pair) =>
      pair.policy === policy.name && pair.against === 'base'
        ? [{ ...pair, question: pair.question === 'alignment' ? 'which fits the prompt better' : 'which looks better' }]
        : [],
    ),
    caveats,
  }
}
