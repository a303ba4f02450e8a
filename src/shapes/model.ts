/** The embedded text-to-image model: a small text transformer and a UNet on 24 × 24 pixels. */
import { FlowView } from '../diffusion/flow-view.ts'
import { cosineSchedule, powerTimesteps } from '../diffusion/schedule.ts'
import { cappedInverseNoise, VariancePreserving } from '../diffusion/variance-preserving.ts'
import type {
  AdapterLayers,
  CleanStates,
  Conditioning,
  GenerativeModel,
  ModelDefaults,
  ModelStage,
} from '../networks/generative-model.ts'
import { pixelUnet } from '../networks/embedded/pixel-unet.ts'
import { encodeText, type TextEncoderSize } from '../networks/embedded/text-encoder.ts'
import type { Change, Weights } from '../networks/weights.ts'
import { tensor } from '../tensor/create.ts'
import type { Dtype } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { imageSize } from './scene.ts'
import { captionLength, tokenize, vocabularySize } from './vocabulary.ts'
import type { ShapesName } from './world.ts'

/** Of the embedded text towers, the generator's and the CLIP-like encoder's. */
export const textSize: TextEncoderSize = { vocabulary: vocabularySize, length: captionLength, width: 64, layers: 2 }

/** Captions as word tokens, int64 [B, captionLength]. */
export function tokenRows(texts: readonly string[]): Tensor {
  return tensor(texts.flatMap(tokenize), [texts.length, captionLength], 'int64')
}

const trainSteps = 1000

/** One noise for the model's life. Sampling is denser at high noise: with uniform steps, backgrounds turn grey. */
export const shapesProcess = new VariancePreserving({
  schedule: cosineSchedule({ steps: trainSteps, predictionType: 'x0' }),
  timesteps: (steps) => powerTimesteps(trainSteps, steps, 1.5, 995),
  weighting: cappedInverseNoise(10),
})

/** The same network seen as one of flow matching, so that every method for flows runs on it. */
const flowView = new FlowView(shapesProcess)

const adapterTargets: Readonly<Record<AdapterLayers, RegExp>> = {
  attention: /\.(to_q|to_k|to_v|to_out)\.weight$/,
  'feed-forward': /\.mlp\.(up|down)\.weight$/,
  convolutions: /\.conv\d?\.weight$/,
}

class ShapesModel implements GenerativeModel {
  readonly name: ShapesName
  readonly sha256: string
  readonly stages: readonly ModelStage[]
  readonly policyStage = 0
  readonly imageSize = { width: imageSize, height: imageSize }
  readonly defaults: ModelDefaults = {
    batchSize: 96,
    parameters: 'text',
  }
  readonly weights: Weights

  constructor(weights: Weights, sha256: string, name: ShapesName) {
    this.name = name
    this.stages = [
      {
        name: 'unet',
        process: name === 'shapes' ? shapesProcess : flowView.process,
        stateShape: [3, imageSize, imageSize],
        sampling: { steps: 10, eta: 1, guidance: 1 },
        condition: (text) => text,
        predict: (xt, t, given) => this.#predict(xt, t, given),
      },
    ]
    this.weights = weights
    this.sha256 = sha256
  }

  get device(): string {
    return this.weights.device
  }

  isTextPath(name: string): boolean {
    return name.startsWith('textEncoder.') || name.includes('.cross.') || name.startsWith('unet.text.')
  }

  isAdapterTarget(name: string, layers: readonly AdapterLayers[]): boolean {
    return name.startsWith('unet.') && layers.some((kind) => adapterTargets[kind].test(name))
  }

  encodeText(texts: readonly string[]): Conditioning {
    return { ...encodeText(this.weights.at('textEncoder'), tokenRows(texts).to(this.device), textSize) }
  }

  #predict(xt: Tensor, t: Tensor, { tokens, pooled, mask }: Conditioning): Tensor {
    const network = (states: Tensor, times: Tensor) =>
      pixelUnet(this.weights.at('unet'), states, times, { tokens, pooled, mask }, textSize.width)
    return this.name === 'shapes' ? network(xt, t) : flowView.velocity(xt, t, network)
  }

  decode([x0]: readonly Tensor[]): Tensor {
    return x0.clamp(-1, 1)
  }

  preview(samples: readonly Tensor[]): Tensor {
    return this.decode(samples)
  }

  encode(pixels: Tensor): CleanStates {
    return { x0: pixels, earlier: [] }
  }

  with(change: Change): GenerativeModel {
    return new ShapesModel(this.weights.with(change), this.sha256, this.name)
  }

  hollow(): GenerativeModel {
    return new ShapesModel(this.weights.hollow(), this.sha256, this.name)
  }

  in(dtype: Dtype): GenerativeModel {
    return dtype === this.weights.dtype ? this : new ShapesModel(this.weights.in(dtype), this.sha256, this.name)
  }
}

export function shapesModel(weights: Weights, sha256: string, name: ShapesName = 'shapes'): GenerativeModel {
  return new ShapesModel(weights, sha256, name)
}
