/** A run of `reward train`, as the other stages see it: a trained head on its encoder, or a trained encoder. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../../errors.ts'
import type { Open } from '../../images/open-model.ts'
import { hashWeights } from '../../networks/checkpoint/hash-weights.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { configName, manifestName } from '../../run-folder.ts'
import { readRun } from '../../run.ts'
import { readSafetensorsHeader } from '../../tensor/safetensors.ts'
import { embeddingReward, scaledCosine } from '../embedding-reward.ts'
import { encoderFormat, ownEncoderName, readEncoder, withTraining } from '../encoder-training/encoder-file.ts'
import { isHere, openEncoder } from '../encoding/open-encoder.ts'
import { rememberTexts } from '../encoding/text-cache.ts'
import { headFeatures, headOn, headScore, type RewardHead } from '../heads/reward-head.ts'
import { ensembleName } from '../ensemble-file.ts'
import { ensembleLowerBound } from '../lower-bound.ts'
import { readReward, rewardFileName, type RewardFile } from '../reward-file.ts'
import type { Reward } from '../reward.ts'
import type { RewardConfig, RewardKind } from './reward-kind.ts'

const what = 'a run of `reward train`'

/**
 * Opened with the encoder that it was trained on: the model's own, or that which its file names, or, where that is no longer
 * there, the one that is named now.
 */
export const trainedRun: RewardKind = { what, claims: isRun, open: openRun }

/** A run begins with its config and ends with its manifest. */
function isRun(folder: string): boolean {
  if (existsSync(join(folder, manifestName))) return true
  try {
    return 'stage' in (JSON.parse(readFileSync(join(folder, configName), 'utf8')) as object)
  } catch {
    return false
  }
}

async function openRun(folder: string, config: RewardConfig, open: Open): Promise<Reward> {
  const { stage, results } = readRun(folder)
  if (stage !== 'reward train') {
    const remedy = 'give the folder of a reward'
    throw new FormatError({ where: folder, expected: what, received: `a run of \`${stage}\``, remedy })
  }
  const weights = join(folder, rewardFileName)
  if (readSafetensorsHeader(weights).metadata.format === encoderFormat) return trainedEncoder(folder, config, open)
  const file = readReward(weights)
  const encoder = await encoderOf(folder, file, config, open)
  // Comparisons are of images of one prompt; only good and bad ones say where a prompt lies on the scale of all.
  const isWithinPrompt = results.good === 0 || results.bad === 0
  const reward = trainedReward(folder, encoder, file.head, hashWeights([weights]), isWithinPrompt)
  const members = join(folder, ensembleName)
  if (!existsSync(members)) return reward
  return { ...reward, lowerBound: (k) => ensembleLowerBound(reward, k, { file: members, head: file.head, encoder }) }
}

/** Bounded by nothing, and only comparable between images of one prompt. */
async function trainedEncoder(folder: string, config: RewardConfig, open: Open): Promise<Reward> {
  const weights = join(folder, rewardFileName)
  const file = readEncoder(weights)
  const { ownSha256 } = file.metadata
  let encoder: ImageTextEncoder
  if (ownSha256 === undefined) encoder = withTraining(await encoderOf(folder, file.metadata, config, open), file)
  else {
    encoder = openEncoder(join(folder, ownEncoderName), config)
    const own = { encoder: 'the encoder that was trained', encoderSha256: ownSha256 }
    expectOwnEncoder(join(folder, ownEncoderName), own, encoder)
  }
  return scaledCosine({
    name: folder,
    sha256: `${hashWeights([weights])} ${encoder.sha256}`,
    encoder: rememberTexts(encoder),
    logitScale: Math.exp(file.logScale),
  })
}

/** What a reward file says of the encoder that it was trained on. */
type OfEncoder = Pick<RewardFile, 'encoder' | 'encoderSha256'> & { readonly encoderPath?: string | undefined }

/** @throws {FormatError} it is another one */
async function encoderOf(folder: string, file: OfEncoder, config: RewardConfig, open: Open): Promise<ImageTextEncoder> {
  const { encoderPath: own } = file
  const path = own === undefined || isHere(own) ? own : (config.encoder ?? own)
  const encoder = path === undefined ? await ownEncoder(folder, config, open) : rememberTexts(openEncoder(path, config))
  expectOwnEncoder(folder, file, encoder)
  return encoder
}

async function ownEncoder(folder: string, config: RewardConfig, open: Open): Promise<ImageTextEncoder> {
  const { model, encoder } = await open(config)
  if (encoder !== undefined) return encoder
  throw new FormatError({
    where: `${folder} encoder`,
    expected: 'the encoder of the model that it was trained for',
    received: `${model.name}, which brings none`,
    remedy: 'train a reward for this model: attune reward train --encoder',
  })
}

/** Scores in [0, 1]. @param sha256 of the head's file @param isWithinPrompt learned from comparisons alone */
export function trainedReward(
  name: string,
  encoder: ImageTextEncoder,
  head: RewardHead,
  sha256: string,
  isWithinPrompt = false,
): Reward {
  const beside = headOn(encoder.device, head)
  return embeddingReward({
    name,
    sha256: `${sha256} ${encoder.sha256}`,
    range: [0, 1],
    ...(isWithinPrompt && { isWithinPrompt }),
    encoder,
    score: (images, texts) => headScore(head, images, texts()),
    features: (images, texts) => headFeatures(beside, images, texts),
  })
}

/** @throws {FormatError} the reward reads another encoder's embeddings */
function expectOwnEncoder(name: string, file: OfEncoder, encoder: ImageTextEncoder): void {
  if (encoder.sha256 === file.encoderSha256) return
  throw new FormatError({
    where: `${name} encoder`,
    expected: `${file.encoder} with SHA-256 ${file.encoderSha256.slice(0, 16)}…`,
    received: `${encoder.name} with ${encoder.sha256.slice(0, 16)}…`,
    remedy: 'this reward was trained on another encoder; put that one in its place, or train the reward again',
  })
}
