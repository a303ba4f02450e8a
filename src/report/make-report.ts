/** `report`: measures policies on prompts and noise that no training used, and writes the report. */
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { coresOfThis } from '../cores.ts'
import { FileError } from '../errors.ts'
import { isDatabaseUrl } from '../feedback/store/database.ts'
import { samplerOf } from '../images/draw.ts'
import { samplingOf, type Open } from '../images/open-model.ts'
import { openChange } from '../policy/policy-file.ts'
import { drawnBaseImages } from '../reward/composition/base-images.ts'
import { readComposed } from '../reward/composition/composed-file.ts'
import {
  composedName,
  rewardInRun,
  rewardParents,
  type RewardOpening,
  type RewardRole,
} from '../reward/composition/reward-in-run.ts'
import { rewardFileName } from '../reward/reward-file.ts'
import { startRun, writing } from '../run.ts'
import { sha256, sha256OfWeights } from '../sha256.ts'
import { alone, gatherValues, type Group } from '../tensor/group.ts'
import { describeLibrary, useThreads } from '../tensor/library.ts'
import { expectSameEverywhere } from '../tensor/same-everywhere.ts'
import { assembleReport, type ReportContext } from './assemble-report.ts'
import { alarmCaveats, caveatsOf, ratersOf } from './caveats.ts'
import { comparedPolicies, type ComparedPolicy } from './compared-policies.ts'
import { drawAndJudge } from './draw-and-judge.ts'
import type { EvaluationPlan } from './draw.ts'
import { statedAttributes } from './evaluate.ts'
import { heldOutCaveat, heldOutFacts } from './held-out-reward.ts'
import type { JudgedWorld } from './judged-world.ts'
import type { SpaceFacts } from '../networks/features/feature-space.ts'
import { checkDetector } from '../networks/detector/open-detector.ts'
import { checkFeatures } from '../networks/features/open-features.ts'
import { coveredSeconds, flatConfig, pastRun, runsBehind, type PastRun } from './lineage.ts'
import { frechetSubsets } from './measures/frechet.ts'
import { detectionOf } from './objects/detection-of.ts'
import { checkReference } from './reference.ts'
import { referencePhrase, measuringReward, type ReportConfig } from './report-config.ts'
import { expectApart, expectEnough, promptsOf } from './report-prompts.ts'
import { rewardResults } from './reward-quality.ts'
import { sampleRows } from './sample-rows.ts'
import type { Report } from './schema.ts'
import { readVotes } from './votes/people-votes.ts'
import { reportFiles, writeReport } from './write-report.ts'

/** What the runs do not tell, for the page. */
export type ReportExtra = Partial<
  Pick<ReportContext, 'seconds' | 'stages' | 'caveats' | 'config' | 'tuningSeed' | 'selectionRule'>
>

/** What the report takes from whoever knows all models. */
export interface ReportWorld {
  readonly open: Open
  /** The world of a model, with its prompts and its judge, where it has one. */
  readonly worldOf: (model: string) => Promise<JudgedWorld | undefined>
  /** What a child process executes; see `tasks.ts`. */
  readonly tasksFile: URL
}

/** Roll-outs and features on their way from process to process. */
const scratchName = 'parts'

/**
 * @param group its processes divide the work, at files of a disk that all see; the first one writes the report, and all have it
 * @throws {VocabularyError} a prompt that the model or the judge cannot read
 * @throws {FileError | FormatError} a run that is missing, unfinished, or of another kind
 */
export async function makeReport(
  config: ReportConfig,
  models: ReportWorld,
  extra: ReportExtra = {},
  group: Group = alone,
): Promise<Report> {
  const { out, resume, ...settings } = config
  const began = Date.now()
  const policies = comparedPolicies(config.policies)
  const reward = rewardRun(config.reward)
  if (reward !== undefined) rewardResults(reward)
  const ofPolicies = policies.map(({ name, run }) => [`policy ${name}`, run.folder] as const)
  const parents = {
    ...rewardParents(config.reward),
    ...(config.heldOutReward !== null && { 'held-out reward': config.heldOutReward }),
    ...Object.fromEntries(ofPolicies),
  }
  using run = startRun({ folder: out, stage: 'report', config: settings, parents, resume })
  const opened = await models.open(config)
  const past = runsBehind([...Object.values(rewardParents(config.reward)), ...policies.map(({ run }) => run.folder)])
  const world = await models.worldOf(config.model)
  const { prompts, ofFiles } = await promptsOf(config, opened, world)
  const sampling = samplingOf(opened.model, config)
  // What is wrong is told before the long work.
  const texts = prompts.map(({ text }) => text)
  const rewards = await openRewards(config, {
    ...{
      run,
      config,
      group,
      open: () => Promise.resolve(opened),
      base: () => drawnBaseImages(opened, texts, sampling),
    },
    past,
  })
  const { heldOutReward } = rewards
  const { range: rewardRange, sha256: rewardSha256 } = rewards.reward
  const votes = await readVotes(votesIn(config, past), policies)
  for (const policy of policies) openChange(opened.model, policy.run.folder, config)
  const detector = config.detector === null ? undefined : checkDetector(config.detector)
  const network = config.features === null ? undefined : checkFeatures(config.features)
  const judge = await world?.judge()
  const isJudged = judge !== undefined
  const sampler = samplerOf(opened.model, sampling)
  const plan: EvaluationPlan = {
    prompts,
    imagesPerPrompt: config.imagesPerPrompt,
    seed: config.seed,
    sampling,
    sampler: sampler.name,
    klRollouts: config.klRollouts,
  }
  const raters = reward === undefined ? {} : await ratersOf(reward)
  expectApart(prompts, config)
  expectEnough(plan)
  if (isJudged) statedAttributes(plan.prompts)
  const references =
    isJudged || config.referenceImages === null
      ? undefined
      : await checkReference(config.referenceImages, 2 * frechetSubsets)
  const detection = detector && detectionOf(config, plan, detector, isJudged)
  const inputs = {
    prompts: sha256(JSON.stringify(prompts)),
    model: opened.model.sha256,
    ...Object.fromEntries(ofPolicies.map(([role, folder]) => [role, sha256OfWeights(folder)])),
    reward: rewardSha256,
    ...(network !== undefined && { features: network.sha256 }),
    ...(detector !== undefined && { detector: detector.sha256 }),
    ...(heldOutReward && { 'held-out reward': heldOutReward.sha256 }),
  }
  run.dependsOn(inputs)
  expectSameEverywhere(group, inputs)
  const [folder, scratch] = [run.path('drawn'), run.path(scratchName)]
  for (const one of [folder, scratch]) writing(one, () => mkdirSync(one, { recursive: true }))

  const { tasksFile } = models
  const onWork = () => run.keep()
  const hasNoise = sampler.steps.some(({ stochastic }) => stochastic)
  const drawing = {
    plan,
    policies,
    config: { ...config, ...rewards.named },
    ...(detection !== undefined && { detection }),
    isJudged,
    hasNoise,
    references,
    reward,
    tasksFile,
    folder,
    scratch,
    onWork,
    group,
  }
  const measured = await drawAndJudge(drawing)
  // No other process is at work any more.
  useThreads(config.threads ?? coresOfThis())
  const own = { finishedAt: new Date().toISOString(), seconds: (Date.now() - began) / 1000 }
  const assemble = () =>
    assembleReport(
      plan,
      measured,
      { reward, policies },
      {
        seconds: coveredSeconds([...past.map(({ manifest }) => manifest), own]),
        torch: describeLibrary().version,
        stages: [
          ...past.map((one) => ({ name: titleAmong(policies, one), seconds: one.manifest.seconds })),
          { name: 'report', seconds: own.seconds },
        ],
        config: flatConfig(past.map((one) => ({ ...one, title: titleAmong(policies, one) }))),
        rewardRange,
        rewardName: config.reward,
        ...(detection !== undefined && { detector: detection }),
        ...(heldOutReward && { heldOutReward: heldOutReward.facts }),
        ...(votes && { votes }),
        space: spaceOf(config, network ?? judge?.space),
        ...(!isJudged && { scorer: measuringReward(config), reference: referencePhrase(config) }),
        ...raters,
        ...extra,
        caveats: [
          ...caveatsOf(plan, config, isJudged),
          ...alarmCaveats(policies),
          ...[heldOutReward && heldOutCaveat(heldOutReward.facts)].filter((caveat) => caveat !== undefined),
          ...(raters.caveats ?? []),
          ...(extra.caveats ?? []),
        ],
      },
    )
  const [report] = gatherValues(group, group.rank === 0 ? assemble() : null)
  for (const name of reportFiles) run.path(name)
  if (group.rank === 0) writeReport(run.folder, { report: report!, grids: await sampleRows(plan, measured) })
  run.finish({ seconds: own.seconds, policies: measured.map(({ name }) => name), ...ofFiles }, [scratchName])
  return report!
}

/** @param known that of a network of its own, or of the judge; without it that of the encoder by which a reward scores */
function spaceOf(config: ReportConfig, known: SpaceFacts | undefined): SpaceFacts {
  const { network, resize, sha256 } = known ?? {
    network: `the image encoder by which ${measuringReward(config)} scores`,
    resize: 'resized as that encoder’s own processor does: for CLIP bicubic and antialiased, and cut around the centre',
  }
  const first = '; reference images cover the size of the drawn ones before, by Lanczos and antialiased'
  const resized = config.referenceImages === null ? resize : resize + first
  return { network, resize: resized, ...(sha256 !== undefined && { sha256 }) }
}

/**
 * The rewards of a report, with the names by which other processes open the same: of a composition, that of the file in which its
 * scale lies. One that a compared policy learned from keeps the scale that it had there.
 *
 * @throws {ConfigError} a policy learned from the held-out one
 */
async function openRewards(
  config: ReportConfig,
  { past, ...opening }: RewardOpening & { readonly past: readonly PastRun[] },
) {
  const { reward: name, scorer, heldOutReward: heldOutName } = config
  const opened = async (one: string, role: RewardRole) => {
    const known = past.flatMap(({ folder, manifest: { parents } }) => {
      const file = join(folder, composedName('reward'))
      return parents.reward === one && existsSync(file) ? [file] : []
    })[0]
    const from = known === undefined ? undefined : readComposed(known)
    const { reward, composed } = await rewardInRun(one, role, { ...opening, ...(from && { known: from }) })
    return { reward, name: composed === undefined ? one : opening.run.path(composedName(role)) }
  }
  const reward = await opened(name, 'reward')
  const measuring = scorer === null ? undefined : await opened(scorer, 'scorer')
  const heldOut = heldOutName === null ? undefined : await opened(heldOutName, 'held-out-reward')
  const { sha256 } = reward.reward
  const facts =
    heldOut &&
    (await heldOutFacts(
      { name: heldOutName!, sha256: heldOut.reward.sha256, run: rewardRun(heldOutName!) },
      { name, sha256 },
      past,
    ))
  return {
    reward: reward.reward,
    named: { reward: reward.name, scorer: measuring?.name ?? null, heldOutReward: heldOut?.name ?? null },
    ...(facts && { heldOutReward: { sha256: heldOut!.reward.sha256, facts } }),
  }
}

/** The stores where votes may be. @throws {FileError} the one that was named is not there */
function votesIn({ votes }: ReportConfig, past: readonly PastRun[]): string[] {
  if (votes === null) return past.flatMap(({ manifest }) => manifest.parents.feedback ?? [])
  if (isDatabaseUrl(votes) || existsSync(votes)) return [votes]
  throw new FileError({
    where: '--votes',
    expected: 'a feedback store',
    received: `${votes}, which is not there`,
    remedy: 'check the path, or leave it out',
  })
}

/** The run that trained the reward; none where the reward is a model from elsewhere. */
function rewardRun(reward: string): PastRun | undefined {
  return existsSync(join(reward, rewardFileName)) ? pastRun(reward) : undefined
}

/** `policy dpok`, or `policy dpok kl-01` where a policy has a name of its own. */
function titleAmong(policies: readonly ComparedPolicy[], { folder, manifest: { stage } }: PastRun): string {
  const policy = policies.find(({ run }) => resolve(run.folder) === resolve(folder))
  return policy === undefined || policy.name === policy.algorithm ? stage : `${stage} ${policy.name}`
}
