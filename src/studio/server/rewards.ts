/** Rewards: how well they tell good from bad on prompts that they have not seen, and where people and they differ. */
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { RewardSummary } from '../schemas/runs.ts'
import { RunName } from '../schemas/basics.ts'
import { RewardDetail, Rewards } from '../schemas/runs.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { runNameOf, runsName } from '../workspace.ts'
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
  head: z.string().default(''),
  encoder: z.object({ name: z.string() }).default({ name: '' }),
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
      reliability: RewardDetail.shape.reliability.default([]),
      pairReliability: RewardDetail.shape.reliability.default([]),
    })
    .nullish(),
})

/** `disagreements.json` of a reward run. */
const Disagreements = z.array(
  z.object({
    image: z.string(),
    score: z.number(),
    people: z.number().min(0).max(1),
    judgments: z.int().nonnegative(),
    by: z.enum(['labels', 'comparisons']).default('labels'),
  }),
)

export function rewardSummary({ name, manifest }: StudioRun): RewardSummary {
  const { encoder, heldOut, ...rest } = Results.parse(manifest.results)
  return {
    ...rest,
    name,
    at: manifest.finishedAt,
    seconds: manifest.seconds,
    encoder: runNameOf(encoder.name),
    heldOut: heldOut ? { ...heldOut, calibrationError: heldOut.ece } : null,
  }
}

async function rewardDetail(studio: Studio, run: StudioRun): Promise<RewardDetail> {
  const known = new Map((await studio.store.images()).map(({ record }) => [record.id, record]))
  const there = disagreementsOf(studio, run.name).filter(({ image }) => known.has(image))
  const { heldOut } = Results.parse(run.manifest.results)
  return {
    ...rewardSummary(run),
    reliability: heldOut?.reliability ?? [],
    pairReliability: heldOut?.pairReliability ?? [],
    disagreements: await Promise.all(
      there.map(async ({ image, ...rest }) => ({
        ...rest,
        image: await studio.images.ref(image),
        prompt: known.get(image)!.text,
      })),
    ),
    policies: studio.runs
      .ofKind('policy')
      .filter(
        ({ manifest }) => manifest.parents.reward !== undefined && runNameOf(manifest.parents.reward) === run.name,
      )
      .map(({ name }) => name),
  }
}

function disagreementsOf({ workspace }: Studio, name: string): z.infer<typeof Disagreements> {
  const file = workspace.at(runsName, name, 'disagreements.json')
  return existsSync(file) ? Disagreements.parse(JSON.parse(readFileSync(file, 'utf8'))) : []
}

export const rewardRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/rewards',
    summary: 'All rewards, the newest first.',
    who: 'admin',
    answer: Rewards,
    handle: ({ studio }) => ({ rewards: studio.runs.ofKind('reward').map(rewardSummary).reverse() }),
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
