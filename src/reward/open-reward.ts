/** Rewards by the names that stages are given, and their scores for images on disk. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import type { ModelConfig, Open } from '../images/open-model.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import { hashWeights } from '../networks/checkpoint/hash-weights.ts'
import { parseHubName } from '../networks/checkpoint/hub-cache.ts'
import { isPickle } from '../networks/checkpoint/pickle.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { readRun } from '../run.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import { aestheticReward } from './kinds/aesthetic-reward.ts'
import { clipReward } from './kinds/clip-reward.ts'
import { isHere, openEncoder } from './encoding/open-encoder.ts'
import { pictureBatches } from './encoding/picture-batches.ts'
import { readReward, rewardFileName } from './reward-file.ts'
import type { Reward } from './reward.ts'
import { expectFiniteScores } from './teaching-scores.ts'
import { rememberTexts } from './encoding/text-cache.ts'
import { expectOwnEncoder, trainedReward } from './kinds/trained-reward.ts'

const accepted =
  'a run of `reward train`, a CLIPModel as transformers saves it (a folder, or owner/name in the Hugging Face cache), or an aesthetic head (.safetensors)'

/** Config fields of every stage that scores images. */
export const rewardFields = {
  reward: z
    .string()
    .min(1)
    .describe(
      'Reward: a run of `reward train`; a CLIPModel such as PickScore, a folder or owner/name in the Hugging Face cache; or an aesthetic head, .safetensors.',
    ),
  encoder: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'CLIPModel whose embeddings an aesthetic head reads; a run of `reward train` knows its own, and takes this one where that has moved.',
    ),
}

/**
 * Opens a reward by its name, which may be
 * - the folder of a `reward train` run. It is opened with the encoder that it was trained on: the model's own, or that
 *   which its file names, or, where that is no longer there, `encoder`;
 * - a CLIPModel, in a folder or as owner/name in the Hugging Face cache: see `clipReward`;
 * - a safetensors file with an aesthetic head on the embeddings of `encoder`: see `aestheticReward`.
 *
 * @param config where to compute, and the encoder where one has to be named
 * @param open   gives the model where its own encoder is needed; else it is not called
 * @throws {FileError} no such file, folder or model, or the run is not finished
 * @throws {FormatError} something else, broken, a pickle, or a reward of another encoder
 * @throws {ConfigError} an aesthetic head without `encoder`, or a GPU that is not there
 */
export async function openReward(
  name: string,
  config: ModelConfig & { readonly encoder?: string | null },
  open: Open,
): Promise<Reward> {
  const found = statSync(name, { throwIfNoEntry: false })
  if (isPickle(name) && !found?.isDirectory()) throw pickled(name)
  if (found === undefined) return openHubReward(name, config)
  if (!found.isDirectory()) return openAesthetic(name, config)
  if (isRun(name)) return await openRun(name, config, open)
  if (existsSync(join(name, 'config.json'))) return openClipReward(name, config)
  throw new FormatError({
    where: name,
    expected: accepted,
    received: 'a folder with neither manifest.json nor config.json',
    remedy: 'check the path',
  })
}

/** A run begins with its config and ends with its manifest. */
function isRun(folder: string): boolean {
  if (existsSync(join(folder, 'manifest.json'))) return true
  try {
    return 'stage' in (JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object)
  } catch {
    return false
  }
}

async function openRun(
  folder: string,
  config: ModelConfig & { readonly encoder?: string | null },
  open: Open,
): Promise<Reward> {
  const { stage } = readRun(folder)
  if (stage !== 'reward train') {
    const remedy = 'give the folder of a reward'
    throw new FormatError({ where: folder, expected: accepted, received: `a run of \`${stage}\``, remedy })
  }
  const weights = join(folder, rewardFileName)
  const file = readReward(weights)
  const { encoderPath: own } = file
  const path = own === undefined || isHere(own) ? own : (config.encoder ?? own)
  const encoder = path === undefined ? await ownEncoder(folder, config, open) : rememberTexts(openEncoder(path, config))
  expectOwnEncoder(folder, file, encoder)
  return trainedReward(folder, encoder, file.head, hashWeights([weights]))
}

async function ownEncoder(folder: string, config: ModelConfig, open: Open): Promise<ImageTextEncoder> {
  const { model, encoder } = await open(config)
  if (encoder !== undefined) return encoder
  throw new FormatError({
    where: `${folder} encoder`,
    expected: 'the encoder of the model that it was trained for',
    received: `${model.name}, which brings none`,
    remedy: 'train a reward for this model: attune reward train --encoder',
  })
}

function openAesthetic(file: string, config: ModelConfig & { readonly encoder?: string | null }): Reward {
  if (!/\.safetensors$/i.test(file)) {
    throw new FormatError({ where: file, expected: accepted, received: 'another file', remedy: 'check the path' })
  }
  if (config.encoder === undefined || config.encoder === null) {
    throw new ConfigError({
      where: '--encoder',
      expected: `the CLIPModel whose embeddings ${file} reads`,
      received: 'nothing',
      remedy:
        'LAION’s predictors read openai/clip-vit-large-patch14: a folder, or owner/name in the Hugging Face cache',
    })
  }
  return aestheticReward(file, file, rememberTexts(openEncoder(config.encoder, config)))
}

const openClipReward = (name: string, config: ModelConfig) => clipReward(name, rememberTexts(openEncoder(name, config)))

function openHubReward(name: string, config: ModelConfig): Reward {
  const hubName = parseHubName(name)
  if (isHere(name)) return openClipReward(name, config)
  const fetch = hubName && `attune model fetch ${hubName.name} --revision ${hubName.revision}`
  throw new FileError({
    where: name,
    expected: accepted,
    received: `no such file or folder${fetch === undefined ? '' : ', and no such model in the cache'}`,
    remedy: fetch === undefined ? 'check the path' : `check the path, or download it: ${fetch}`,
  })
}

function pickled(file: string): FormatError {
  const to = file.replace(/\.[^.]*$/, '.safetensors')
  const convert = [
    'import torch',
    'from safetensors.torch import save_file',
    `save_file(torch.load('${file}', map_location='cpu', weights_only=True), '${to}')`,
  ]
  return new FormatError({
    where: file,
    expected: accepted,
    received: 'a pickle, which runs any code that it holds when it is read',
    remedy: `convert an aesthetic head once, which reads its weights only: python -c "${convert.join('; ')}"`,
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
