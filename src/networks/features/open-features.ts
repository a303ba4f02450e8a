/** Networks that make features of images, from files: the kind is told by the names of the tensors. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { zeros } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { readConfig } from '../checkpoint/component-config.ts'
import type { FoundWeights } from '../checkpoint/find-weights.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { describeTensors } from '../checkpoint/kind-of-tensors.ts'
import { locateWeights } from '../checkpoint/locate-weights.ts'
import { checkNetwork, type CheckedNetwork, type NetworkSource } from '../checkpoint/open-network.ts'
import { ClipConfig, VisionTowerConfig } from '../clip/config.ts'
import { clipDefaults, preprocess, preprocessorConfig, type Preprocessing } from '../clip/preprocess.ts'
import { projectImage, visionBuffers, visionModel } from '../clip/vision-model.ts'
import { Weights } from '../weights.ts'
import { Dinov2Config, dinov2ConfigOf } from './dinov2-config.ts'
import { dinov2Features } from './dinov2.ts'
import type { FeatureSpace, SpaceFacts } from './feature-space.ts'
import { expectFidVariant, inceptionFeatures, inceptionName, inceptionSide, isBesideInception } from './inception.ts'

/** A network that fits its weights, with nothing loaded yet. */
export interface CheckedFeatures extends SpaceFacts {
  readonly sha256: string
  /** Numbers of a row. */
  readonly width: number
  readonly network: string
  /** @throws {FormatError} a weight is not finite */
  open(device: string): FeatureSpace
}

/**
 * Reads configurations and the headers of weights.
 *
 * @param name a folder, a .safetensors file, or owner/name in the Hugging Face cache: an Inception-v3 in the layout of the
 *   FID's PyTorch port, a Dinov2Model, or a CLIPModel or its image tower
 * @throws {FileError} it is not there, or a pickle
 * @throws {FormatError} names file and tensor or field: another network, or weights that do not fit it
 */
export function checkFeatures(name: string): CheckedFeatures {
  const { folder, found } = locateWeights(name)
  const names = [...found.entries.keys()]
  const kind = kinds.find(({ isKind }) => names.some((one) => isKind.test(one)))
  if (kind === undefined) {
    throw new FormatError({
      where: name,
      expected: 'an Inception-v3 of the FID’s PyTorch port, a DINOv2 or a CLIP image tower as transformers saves it',
      received: describeTensors(names),
      remedy: 'give the weights of such a network as .safetensors',
    })
  }
  const { network, resize, run, ...source } = kind.read(found, folder)
  let width = 0
  const checked = checkNetwork({
    ...source,
    found,
    use: (weights) => {
      width = run(weights, zeros([1, 3, 64, 64], 'float32', weights.device)).shape[1]
    },
  })
  const facts = { network, resize, width, sha256: hashWeights(found.files) }
  return { ...facts, open: (device) => opened(facts, checked, run, device) }
}

/** As {@link checkFeatures}, with the weights in the memory of a device, in float32. */
export function openFeatures(name: string, device: string): FeatureSpace {
  return checkFeatures(name).open(device)
}

type Run = (weights: Weights, pixels: Tensor) => Tensor

function opened(
  facts: SpaceFacts & { readonly width: number },
  network: CheckedNetwork,
  run: Run,
  device: string,
): FeatureSpace {
  const weights = Weights.of(network.load({ dtype: 'float32', device }), { dtype: 'float32' })
  return {
    ...facts,
    device,
    features(pixels) {
      using scope = tensorScope()
      using _noGrad = noGrad()
      return scope.keep(run(weights, pixels.to(device)))
    },
  }
}

interface Kind {
  /** A name that only its tensors have. */
  readonly isKind: RegExp
  read(
    found: FoundWeights,
    folder: string,
  ): Pick<SpaceFacts, 'network' | 'resize'> & Pick<NetworkSource, 'rename' | 'ignored'> & { readonly run: Run }
}

const kinds: readonly Kind[] = [
  {
    isKind: /^(Mixed_7c|blocks\.3\.2)\.branch1x1\.conv\.weight$/,
    read(found) {
      expectFidVariant(found)
      const names = [...found.entries.keys()].map(inceptionName)
      return {
        network: 'Inception-v3 of the FID',
        resize: `${inceptionSide} × ${inceptionSide}, bilinear as in TensorFlow 1 and not antialiased, as the FID was defined`,
        rename: inceptionName,
        ignored: names.filter(isBesideInception),
        run: inceptionFeatures,
      }
    },
  },
  {
    isKind: /^(dinov2\.)?embeddings\.cls_token$/,
    read(found, folder) {
      const keyOf = new Map([...found.entries.keys()].map((key) => [dinov2Name(key), key]))
      const names = [...keyOf.keys()]
      const shapeOf = (one: string) => found.entries.get(keyOf.get(one) ?? one)?.shape ?? []
      const config = existsSync(join(folder, 'config.json'))
        ? readConfig(folder, 'config.json', Dinov2Config)
        : dinov2ConfigOf(names, shapeOf, found)
      const preprocessing = preprocessingIn(folder, dinov2Defaults)
      return {
        network: 'the class token of DINOv2',
        resize: resizeOf(preprocessing),
        rename: dinov2Name,
        ignored: names.filter((one) => one === 'embeddings.mask_token' || one.startsWith('classifier.')),
        run: (weights, pixels) => dinov2Features(weights, config, preprocess(pixels, preprocessing)),
      }
    },
  },
  {
    isKind: /^(vision_model\.)?embeddings\.class_embedding$/,
    read(found, folder) {
      const { vision, projection } = readConfig(folder, 'config.json', ClipConfig.or(VisionTowerConfig))
      const { imageSize } = vision
      const preprocessing = preprocessingIn(folder, { ...clipDefaults, shortestSide: imageSize, crop: imageSize })
      const names = [...found.entries.keys()].map(clipName)
      return {
        network: 'CLIP’s image tower',
        resize: resizeOf(preprocessing),
        rename: clipName,
        ignored: [...visionBuffers, ...names.filter((one) => /^(text_|logit_scale$)/.test(one))],
        run: (weights, pixels) => {
          const pooled = visionModel(weights, vision, preprocess(pixels, preprocessing))
          return projection === undefined ? pooled : projectImage(weights, vision, projection, pooled)
        },
      }
    },
  },
]

const dinov2Name = (key: string) => key.replace(/^dinov2\./, '')
/** transformers 5 writes those of a CLIPVisionModel without prefix. */
const clipName = (key: string) =>
  /^(embeddings|encoder|pre_layrnorm|post_layernorm)\./.test(key) ? `vision_model.${key}` : key

const dinov2Defaults: Preprocessing = {
  shortestSide: 256,
  crop: 224,
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
}

function preprocessingIn(folder: string, defaults: Preprocessing): Preprocessing {
  const file = 'preprocessor_config.json'
  return existsSync(join(folder, file)) ? readConfig(folder, file, preprocessorConfig(defaults)) : defaults
}

const resizeOf = ({ shortestSide, crop }: Preprocessing) =>
  `shorter side ${shortestSide}, bicubic and antialiased, ${crop} × ${crop} cut around the centre`
