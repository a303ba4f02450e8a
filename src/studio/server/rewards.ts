/** Rewards: how well they tell good from bad on prompts that they have not seen, and where people and they differ. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { wilsonInterval } from '../../report/interval.ts'
import { disagreementsName } from '../../run-files.ts'
import { RunName } from '../schemas/basics.ts'
import { RewardDetail, Rewards, RewardSummary } from '../schemas/runs.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { rewardLack } from '../reward-evidence.ts'
import { runNameOf, runPath, runsName } from '../workspace.ts'
import { readJson, shaped, whatWorks } from '../workspace-files.ts'
import { jsonRoute } from './route.ts'

const Ends = z
  .tuple([z.number(), z.number()])
  .nullish()
  .transform((ends) => ends ?? null)

const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? null)

const Bins = z.array(RewardDetail.shape.reliability.element.omit({ interval: true })).default([])

/** What the manifest of `reward train` says, as far as it says it. */
const Results = z.object({
  labels: z.number().default(0),
  comparisons: z.number().default(0),
  /** Answers of each kind. */
  good: z.number().default(0),
  bad: z.number().default(0),
  pairs: z.number().default(0),
  rankings: z.number().default(0),
  ratings: z.number().default(0),
  prompts: z.number().default(0),
  raters: z.number().default(0),
  simulated: z.boolean().default(false),
  head: z
    .string()
    .nullish()
    .transform((head) => head ?? ''),
  encoderTraining: z.object({ trained: z.enum(['lora', 'all']) }).nullish(),
  encoder: z.object({ name: z.string() }).default({ name: '' }),
  clipShare: figure,
  heldOut: z
    .object({
      n: z.number().default(0),
      prompts: z.union([z.number(), z.array(z.unknown()).transform(({ length }) => length)]).default(0),
      accuracy: figure,
      accuracyInterval: Ends,
      auc: figure,
      aucInterval: Ends,
      clipScoreAuc: figure,
      ece: figure,
      comparisons: z.number().default(0),
      pairAccuracy: figure,
      pairAccuracyInterval: Ends,
      tieShare: figure,
      expectedTieShare: figure,
      frozenHead: z.object({ pairAccuracy: figure }).nullish(),
      gain: figure,
      gainInterval: Ends,
      reliability: Bins,
      pairReliability: Bins,
    })
    .nullish(),
})

const Disagreements = z.array(
  z.object({
    image: z.string(),
    score: z.number(),
    people: z.number().min(0).max(1),
    judgments: z.int().nonnegative(),
    by: z.enum(['labels', 'comparisons']).default('labels'),
  }),
)

/** Of the embedded world, where it was measured what labels buy. */
const embeddedEncoder = 'shapes-clip'

const resultsOf = ({ name, manifest }: StudioRun) => shaped(Results, manifest.results, `${runPath(name)}/manifest.json`)

/** How good a reward is shown to be, and what it has learned from. @throws {FormatError} */
export function rewardStanding(run: StudioRun) {
  const { name, manifest } = run
  const results = resultsOf(run)
  const { good, bad, pairs, rankings, ratings, labels, comparisons } = results
  const isEmbedded = results.encoder.name === embeddedEncoder
  const measured = { labels, comparisons, heldOut: results.heldOut ?? null, isEmbedded }
  return {
    name,
    finishedAt: manifest.finishedAt,
    lack: rewardLack(measured),
    /** Answers. */
    learned: good + bad + pairs + rankings + ratings || labels + comparisons,
  }
}

/** @throws {FormatError} its results are not those of a reward */
export function rewardSummary(run: StudioRun): RewardSummary {
  const { name, manifest } = run
  const { encoder, encoderTraining, heldOut, ...rest } = resultsOf(run)
  const summary: RewardSummary = {
    ...rest,
    lack: rewardStanding(run).lack,
    name,
    at: manifest.finishedAt,
    seconds: manifest.seconds,
    encoder: runNameOf(encoder.name),
    trainedEncoder: encoderTraining?.trained ?? null,
    heldOut: heldOut
      ? { ...heldOut, calibrationError: heldOut.ece, frozenPairAccuracy: heldOut.frozenHead?.pairAccuracy ?? null }
      : null,
  }
  return shaped(RewardSummary, summary, `${runPath(name)}/manifest.json`)
}

async function rewardDetail(studio: Studio, run: StudioRun): Promise<RewardDetail> {
  const known = new Map((await studio.store.images()).map(({ record }) => [record.id, record]))
  const there = disagreementsOf(studio, run.name).filter(({ image }) => known.has(image))
  const { heldOut } = resultsOf(run)
  const shown = await Promise.all(
    there.map(async ({ image, ...rest }) => {
      const ref = await studio.images.refIfThere(image)
      return ref === undefined ? [] : [{ ...rest, image: ref, prompt: known.get(image)!.text }]
    }),
  )
  return {
    ...rewardSummary(run),
    reliability: (heldOut?.reliability ?? []).map(withInterval),
    pairReliability: (heldOut?.pairReliability ?? []).map(withInterval),
    disagreements: shown.flat(),
    policies: studio.runs
      .everyOfKind('policy')
      .filter(
        ({ manifest }) => manifest.parents.reward !== undefined && runNameOf(manifest.parents.reward) === run.name,
      )
      .map(({ name }) => name),
  }
}

function withInterval(bin: z.output<typeof Bins>[number]): RewardDetail['reliability'][number] {
  const { low, high } = bin.n === 0 ? { low: 0, high: 1 } : wilsonInterval(bin.observed, bin.n)
  return { ...bin, interval: [low, high] }
}

/** On one half neither side is taken. */
const isOpposed = ({ score, people }: { score: number; people: number }) => (score - 0.5) * (people - 0.5) < 0

function disagreementsOf({ workspace }: Studio, name: string): z.infer<typeof Disagreements> {
  const file = workspace.at(runsName, name, disagreementsName)
  if (!existsSync(file)) return []
  return (whatWorks([{ name }], () => readJson(workspace, file, Disagreements)).made[0] ?? []).filter(isOpposed)
}

export const rewardRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/rewards',
    summary: 'All rewards, the newest first.',
    who: 'admin',
    answer: Rewards,
    handle: ({ studio }) => ({ rewards: whatWorks(studio.runs.ofKind('reward'), rewardSummary).made.reverse() }),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/rewards/:name',
    summary: 'A reward with its calibration and the images on which people and it differ most.',
    who: 'admin',
    params: z.object({ name: RunName }),
    answer: RewardDetail,
    handle: ({ studio, params: { name } }) => rewardDetail(studio, studio.runs.get('reward', name)),
  }),
]
