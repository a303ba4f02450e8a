/** An encoder under training: what is trained of it, and its scores of pairs. */
import { pixelsOf, type Picture } from '../../images/png.ts'
import { changeOf, downSuffix, freshAdapter, trainedCopy, upSuffix } from '../../networks/adapters.ts'
import type { EncoderTuning, ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { seedOf } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { cat, tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { pictureBatches } from '../encoding/picture-batches.ts'
import type { Comparison } from '../examples/reward-examples.ts'
import type { EncoderTrainingSettings } from './fields.ts'

/** The logarithm of what cosines are multiplied by, among the parameters; no encoder has a parameter of this name. */
export const logScaleName = 'log scale'

export interface TrainedEncoder {
  /** Float32 leaves by their names, adapters as `parametersOf` names them, and the log scale [1]. */
  readonly parameters: ReadonlyMap<string, Tensor>
  /** The encoder with its change in front. */
  readonly encoder: ImageTextEncoder
}

/**
 * The encoder as it is, with what is trained of it. The log scale is trained too, as in the paper's code.
 * @returns tensors that belong to the scope in force
 */
export function trainedEncoder(
  tuning: EncoderTuning,
  { trainEncoder, rank, loraAlpha }: Pick<EncoderTrainingSettings, 'trainEncoder' | 'rank' | 'loraAlpha'>,
  seed: number,
): TrainedEncoder {
  using scope = tensorScope()
  const { weights, logitScale } = tuning
  const made = new Map<string, Tensor>()
  for (const [name, weight] of weights.tensors()) {
    if (name === logitScale.parameter) continue
    if (trainEncoder === 'all') made.set(name, trainedCopy(weight))
    else if (tuning.isAdapterTarget(name)) {
      const seedOfOne = seedOf(...rewardStreams.encoderAdapter(seed, made.size))
      const { down, up } = freshAdapter(weight.shape, rank, seedOfOne, weights.device)
      made.set(name + downSuffix, down).set(name + upSuffix, up)
    }
  }
  const encoder = tuning.with(changeOf(made, loraAlpha / rank))
  made.set(logScaleName, tensor([Math.log(logitScale.value)]).to(weights.device))
  for (const one of made.values()) scope.keep(one.requireGrad())
  return { parameters: made, encoder }
}

/** A pair with the text that stands for its prompt. */
export interface ShownPair extends Pick<Comparison, 'better' | 'worse' | 'isTie' | 'weight'> {
  readonly shown: string
}

/**
 * s(x, y) of both images of pairs, each image and each text embedded once.
 * @param pictureOf an image of the pairs
 * @returns         [B] each, on the device of the encoder
 */
export function pairScores(
  { encoder, parameters }: TrainedEncoder,
  pairs: readonly ShownPair[],
  pictureOf: (image: number) => Picture,
): { readonly better: Tensor; readonly worse: Tensor } {
  using scope = tensorScope()
  const images = [...new Set(pairs.flatMap(({ better, worse }) => [better, worse]))]
  const texts = [...new Set(pairs.map(({ shown }) => shown))]
  const embeddedImages = cat(pictureBatches(images.map(pictureOf)).map((batch) => encoder.embedImages(pixelsOf(batch))))
  const embeddedTexts = encoder.embedTexts(texts)
  const [placeOfImage, placeOfText] = [placesOf(images), placesOf(texts)]
  const rows = (all: Tensor, index: number[]) =>
    all.indexSelect(0, tensor(index, [index.length], 'int64').to(all.device))
  const ofTexts = rows(embeddedTexts, pairs.map(({ shown }) => placeOfText.get(shown)!)) // prettier-ignore
  const scale = parameters.get(logScaleName)!.exp()
  const scores = (side: 'better' | 'worse') => {
    const ofImages = rows(embeddedImages, pairs.map((pair) => placeOfImage.get(pair[side])!)) // prettier-ignore
    return scope.keep(ofImages.mul(ofTexts).sum(1).mul(scale))
  }
  return { better: scores('better'), worse: scores('worse') }
}

const placesOf = <T>(all: readonly T[]) => new Map(all.map((one, place) => [one, place]))
