/** Rewards by the names that stages are given, and their scores for images on disk. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import type { Open } from '../images/open-model.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import { cachedSnapshot } from '../networks/checkpoint/hub-cache.ts'
import { parseHubName } from '../networks/checkpoint/hub-name.ts'
import { convertTensors, isPickle } from '../networks/checkpoint/pickle.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import { holdsSecrets } from './http/address.ts'
import { pictureBatches } from './encoding/picture-batches.ts'
import { rewardKinds } from './kinds/index.ts'
import type { RewardConfig, RewardKind } from './kinds/reward-kind.ts'
import type { Reward } from './reward.ts'
import { expectFiniteScores } from './teaching-scores.ts'

const listed = (kinds: readonly RewardKind[]) => {
  const whats = kinds.map(({ what }) => what)
  return `${whats.slice(0, -1).join(', ')}, or ${whats.at(-1)}`
}
const accepted = listed(rewardKinds)

const nameOf = (isOffered: (kind: RewardKind) => boolean) => {
  const offered = rewardKinds.flatMap((kind) => (isOffered(kind) ? (kind.names ?? []) : []))
  return z
    .string()
    .min(1)
    .refine(
      (name) => !holdsSecrets(name),
      'an address without a user, a password or a query, which a run would write down',
    )
    .meta(offered.length > 0 ? { examples: offered } : {})
}

/** A field that names a reward to train on, to choose or to measure by. */
const rewardName = nameOf(({ isPlain, isSecondOpinion }) => !isPlain && !isSecondOpinion)
/** A field that names a reward beside the one that is trained on. */
export const secondRewardName = nameOf(({ isPlain }) => !isPlain)

/** Config fields of every stage that scores images. */
export const rewardFields = {
  reward: rewardName.describe(`Reward: ${accepted}.`),
  encoder: optionalText.describe(
    'CLIPModel whose embeddings an aesthetic head reads; a run of `reward train` knows its own, and takes this one where that has moved.',
  ),
}

/**
 * Opens a reward by its name: by the kind that has this name, or else the first one that claims what lies there.
 *
 * @param config where to compute, and the encoder where one has to be named
 * @param open   gives the model where its own encoder is needed; else it is not called
 * @throws {FileError} no such file, folder or model, or the run is not finished
 * @throws {FormatError} something else, broken, a pickle, or a reward of another encoder
 * @throws {ConfigError} an aesthetic head without `encoder`, or a GPU that is not there
 */
export async function openReward(name: string, config: RewardConfig, open: Open): Promise<Reward> {
  const named = rewardKinds.find(({ names }) => names?.includes(name))
  const openPart = (part: string) => openReward(part, config, open)
  if (named !== undefined) return await named.open(name, config, open, openPart)
  const pickle = pickleOf(name)
  if (pickle !== undefined) throw pickled(pickle)
  const kind = rewardKinds.find((one) => one.claims(name))
  if (kind === undefined) throw unclaimed(name)
  return await kind.open(name, config, open, openPart)
}

/** @throws {ConfigError} it cannot be followed uphill */
export function expectGradients({ name, scoreWithGradient }: Reward): void {
  if (scoreWithGradient !== undefined) return
  throw new ConfigError({
    where: '--reward',
    expected: `a reward that has gradients: ${listed(rewardKinds.filter(({ hasNoGradient }) => !hasNoGradient))}`,
    received: `${name}, which has none`,
    remedy: 'give one of these, or train with `policy dpok`, which asks a reward for scores alone',
  })
}

function unclaimed(name: string): FileError | FormatError {
  const found = statSync(name, { throwIfNoEntry: false })
  if (found !== undefined) {
    const received = found.isDirectory() ? 'a folder with neither manifest.json nor config.json' : 'another file'
    return new FormatError({ where: name, expected: accepted, received, remedy: 'check the path' })
  }
  const hubName = parseHubName(name)
  const fetch = hubName && `attune model fetch ${hubName.name} --revision ${hubName.revision}`
  return new FileError({
    where: name,
    expected: accepted,
    received: `no such file or folder${fetch === undefined ? '' : ', and no such model in the cache'}`,
    remedy: fetch === undefined ? 'check the path' : `check the path, or download it: ${fetch}`,
  })
}

/** The pickle that a name stands for: itself, or that of ImageReward's authors, alone in a folder or the cache. */
function pickleOf(name: string): string | undefined {
  const isFolder = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
  if (isPickle(name) && !isFolder) return name
  const hubName = parseHubName(name)
  const folder = isFolder ? name : hubName && cachedSnapshot(hubName)
  const files = folder === undefined ? [] : readdirSync(folder)
  const published = files.find((file) => /^ImageReward.*\.pt$/.test(file))
  return published === undefined || files.some((file) => file.endsWith('.safetensors'))
    ? undefined
    : join(folder!, published)
}

function pickled(file: string): FormatError {
  return new FormatError({
    where: file,
    expected: accepted,
    received: 'a pickle, which runs any code that it holds when it is read',
    remedy: `convert it once, which reads its weights only: ${convertTensors(file)}`,
  })
}

/** Scores of pictures for their prompts, in their order. @throws {RewardError} one is not finite */
export function scorePictures(reward: Reward, pictures: readonly Picture[], texts: readonly string[]): number[] {
  using _noGrad = noGrad()
  let from = 0
  return pictureBatches(pictures).flatMap((batch) => {
    using _scope = tensorScope()
    const own = texts.slice(from, from + batch.length)
    from += batch.length
    const scores = reward.score(pixelsOf(batch), own).toArray()
    expectFiniteScores(reward.name, scores)
    return scores
  })
}
