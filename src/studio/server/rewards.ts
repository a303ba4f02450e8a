/** Rewards: how well they tell good from bad on prompts that they have not seen, and where people and they differ. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { disagreementsName } from '../../run-files.ts'
import { RunName } from '../schemas/basics.ts'
import { RewardDetail, Rewards, RewardSummary } from '../schemas/runs.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
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

/** What the manifest of `reward train` says, as far as it says it. */
const Results = z.object({
  labels: z.number().default(0),
  comparisons: z.number().default(0),
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
      reliability: RewardDetail.shape.reliability.default([]),
      pairReliability: RewardDetail.shape.reliability.default([]),
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

const resultsOf = ({ name, manifest }: StudioRun) => shaped(Results, manifest.results, `${runPath(name)}/manifest.json`)

/** What keeps a policy from starting by itself on a reward; null where nothing does. @throws {FormatError} */
export function rewardLack(run: StudioRun): string | null {
  const { name } = run
  const { heldOut } = resultsOf(run)
  const more = 'Judge more images, of more prompts, and train the next reward'
  if (!heldOut) return `${name} was measured on no held-out prompts. ${more}.`
  const { auc, aucInterval, clipScoreAuc, pairAccuracy, pairAccuracyInterval, n, comparisons } = heldOut
  const told = (value: number) => value.toFixed(2)
  const ends = ([low, high]: readonly [number, number]) => `${told(low)} to ${told(high)}`
  if (auc !== null && aucInterval !== null) {
    const bar = Math.max(0.5, clipScoreAuc ?? 0.5)
    if (aucInterval[0] > bar) return null
    const than = bar === 0.5 ? 'chance (0.50)' : `the CLIP score (${told(bar)})`
    return `${name} is not shown to be better than ${than}: its AUC on ${n} held-out labels is ${told(auc)} (${ends(aucInterval)}). ${more}.`
  }
  if (pairAccuracy !== null && pairAccuracyInterval !== null) {
    if (pairAccuracyInterval[0] > 0.5) return null
    return `${name} is not shown to be better than chance: it orders ${told(pairAccuracy)} of ${comparisons} held-out pairs as people did (${ends(pairAccuracyInterval)}). ${more}.`
  }
  return `${name} was measured on too few held-out judgments for an interval. ${more}.`
}

/** @throws {FormatError} its results are not those of a reward */
export function rewardSummary(run: StudioRun): RewardSummary {
  const { name, manifest } = run
  const { encoder, encoderTraining, heldOut, ...rest } = resultsOf(run)
  const summary: RewardSummary = {
    ...rest,
    lack: rewardLack(run),
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
    reliability: heldOut?.reliability ?? [],
    pairReliability: heldOut?.pairReliability ?? [],
    disagreements: shown.flat(),
    policies: studio.runs
      .everyOfKind('policy')
      .filter(
        ({ manifest }) => manifest.parents.reward !== undefined && runNameOf(manifest.parents.reward) === run.name,
      )
      .map(({ name }) => name),
  }
}

function disagreementsOf({ workspace }: Studio, name: string): z.infer<typeof Disagreements> {
  const file = workspace.at(runsName, name, disagreementsName)
  if (!existsSync(file)) return []
  return whatWorks([{ name }], () => readJson(workspace, file, Disagreements)).made[0] ?? []
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
