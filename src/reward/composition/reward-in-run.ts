/** The rewards of a run, of which compositions are brought to one scale, once. */
import { existsSync } from 'node:fs'
import { sampleStandardDeviation, mean as meanOf } from 'simple-statistics'
import { RewardError } from '../../errors.ts'
import type { Open } from '../../images/open-model.ts'
import { tellNote } from '../../notes.ts'
import type { Run } from '../../run.ts'
import { gatherValues, shareOf, type Group } from '../../tensor/group.ts'
import { centredByPrompt } from '../across-prompts.ts'
import type { RewardConfig } from '../kinds/reward-kind.ts'
import { openReward, scorePictures } from '../open-reward.ts'
import type { Reward } from '../reward.ts'
import { isConstant } from '../teaching-scores.ts'
import type { BaseImages } from './base-images.ts'
import {
  describeComposed,
  openComposed,
  partNames,
  readComposed,
  writeComposed,
  type ComposedFile,
} from './composed-file.ts'
import type { Normal } from './composed-reward.ts'
import { compositionOf, isOwnEnsemble } from './composition.ts'

/** What a stage opens its rewards with. */
export interface RewardOpening {
  readonly run: Run
  readonly config: RewardConfig
  readonly open: Open
  /** By which the parts of a composition are normalised. */
  readonly base: () => BaseImages
  /** The same composition where an earlier run has normalised it. */
  readonly known?: ComposedFile
  readonly group: Group
}

/** What a reward is to a run; a composition of it lies there as `composed-<role>.json`. */
export type RewardRole = 'reward' | 'held-out-reward' | 'scorer'

/** A reward with what is recorded of it where it is a composition. */
export interface OpenedReward {
  readonly reward: Reward
  readonly composed?: ComposedFile
}

export const composedName = (role: RewardRole) => `composed-${role}.json`

/**
 * Opens a reward by its name as `openReward` does, also a composition: its parts score the base images, and what brings them to
 * one scale is written into the run. A run that goes on reads it from there.
 *
 * @throws {RewardError} a part gives all base images one score
 */
export async function rewardInRun(name: string, role: RewardRole, opening: RewardOpening): Promise<OpenedReward> {
  const { run, config, open, base, group } = opening
  const composition = compositionOf(name)
  if (composition === undefined || isOwnEnsemble(composition)) return { reward: await openReward(name, config, open) }
  const file = run.path(composedName(role))
  const [known] = gatherValues(group, run.resumed && existsSync(file) ? readComposed(file) : (opening.known ?? null))
  const rewards: Reward[] = []
  for (const part of composition.parts) rewards.push(await openReward(part.name, config, open))
  const kept = (composed: ComposedFile): OpenedReward => {
    if (group.rank === 0) writeComposed(file, composed)
    group.barrier()
    return { reward: openComposed(file, composed, rewards), composed }
  }
  if (known !== null) return kept(known)
  const images = base()
  const own = shareOf(group, images.texts.length)
  const pictures = own.to > own.from ? await images.pictures(own.from, own.to) : []
  const texts = images.texts.slice(own.from, own.to)
  const scores = gatherValues(
    group,
    rewards.map((reward) => scorePictures(reward, pictures, texts)),
  )
  const normalised = rewards.map((reward, i) => ({
    reward,
    normal: normalOf(
      reward,
      scores.flatMap((each) => each[i]),
      images.texts,
    ),
  }))
  const composed = describeComposed(name, composition, normalised, images.words)
  for (const { reward, normal } of normalised) tellNote(normalWords(reward, normal, images.words))
  return kept(composed)
}

/**
 * Mean and standard deviation (n − 1). Of a reward that compares images of one prompt only, the deviation is that of images
 * around the mean of their prompt (n − prompts), where any prompt has several.
 */
export function normalOf(reward: Reward, scores: readonly number[], texts: readonly string[]): Normal {
  const centred = centredByPrompt(scores, texts)
  const prompts = new Set(texts).size
  const isCentred = reward.isWithinPrompt && prompts < texts.length
  const told = isCentred ? centred : scores
  if (scores.length < 2 || isConstant(scores) || told.every((score) => score === told[0])) {
    throw new RewardError({
      where: reward.name,
      expected: 'scores that differ between base images, which bring it to one scale with the others',
      received: `${scores[0]} for all ${scores.length}`,
      remedy: 'check the reward, or leave it out of the composition',
    })
  }
  const deviation = isCentred
    ? Math.sqrt(centred.reduce((sum, one) => sum + one ** 2, 0) / (scores.length - prompts))
    : sampleStandardDeviation([...scores])
  return { mean: meanOf([...scores]), deviation }
}

const shown = (value: number) => value.toPrecision(4)

const normalWords = ({ name, isWithinPrompt }: Reward, { mean, deviation }: Normal, images: string) =>
  `${name} has mean ${shown(mean)} and deviation ${shown(deviation)}${isWithinPrompt ? ' within a prompt' : ''} over ${images}`

/**
 * What a manifest tells of rewards: of a composition the weight, the mean and the deviation of each part, of one over HTTP what its
 * server says of itself.
 */
export const rewardResults = (opened: Readonly<Record<string, OpenedReward | undefined>>) =>
  Object.fromEntries(
    Object.entries(opened).flatMap(([name, one]) => {
      const told: [string, unknown][] = []
      if (one?.reward.server !== undefined) told.push([`${name}Server`, one.reward.server])
      if (one?.composed !== undefined) {
        const { kind, k, parts, base } = one.composed
        told.push([`${name}Composed`, { kind, ...(kind === 'lower' && { k }), parts, base }])
      }
      return told
    }),
  )

/** What a run is made from where this is its reward: it, and the parts that it has. */
export function rewardParents(name: string): Record<string, string> {
  const parts = partNames(name, compositionOf(name))
  return {
    reward: name,
    ...(parts[0] !== name && Object.fromEntries(parts.map((part, i) => [`reward ${i + 1}`, part]))),
  }
}
