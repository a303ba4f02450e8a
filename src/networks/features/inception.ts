/**
 * Inception-v3 as the Fréchet distance between images is defined on it (Heusel et al. 2017): the network of 2015 with its
 * weights under the names of the PyTorch port that pytorch-fid and torch-fidelity share. It differs from torchvision's in
 * three places: average pools leave out their padding, the last block pools by the maximum, and batch norms have ε = 10⁻³.
 * Numbers of channels are read from the weights; those of the published ones make 2048 features.
 */
import { FormatError } from '../../errors.ts'
import { cat } from '../../tensor/create.ts'
import { conv2d } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import type { FoundWeights } from '../checkpoint/find-weights.ts'
import type { Weights } from '../weights.ts'
import { resizeLikeTensorFlow1 } from './resize.ts'

/** Side of the images that it takes, pixels. */
export const inceptionSide = 299

type Sides = readonly [number, number]
const averagePool = operator<
  [x: Tensor, kernel: number, stride: number, padding: number, ceil: boolean, countPadding: boolean],
  Tensor
>('avg_pool2d')
const maxPool = operator<[x: Tensor, kernel: number, stride: number, padding: number], Tensor>('max_pool2d')
const relu_ = operator<[x: Tensor], Tensor>('relu_')

/** Of the batch norms. */
const epsilon = 1e-3

/**
 * Features of the last pooling. The image is resized as TensorFlow 1 did, without antialiasing, as in the original FID.
 *
 * @param pixels [B, 3, H, W] in [-1, 1], on the device of the weights
 * @returns      [B, d], float32
 * @throws {FormatError} names a tensor that is missing or has another shape
 */
export function inceptionFeatures(weights: Weights, pixels: Tensor): Tensor {
  using scope = tensorScope()
  // Whole ones, as the images had.
  const levels = pixels.to('float32').add(1).mul(127.5).add(0.5).clamp(0, 255).to('uint8').to('float32')
  let h = resizeLikeTensorFlow1(levels, inceptionSide).sub(128).div(128)
  for (const step of steps) {
    const next = step(weights, h)
    // The states of all layers would be most of the memory.
    h.dispose()
    h = next
  }
  return scope.keep(h.mean([2, 3]))
}

interface Convolution {
  /** Rows and columns. */
  readonly kernel: Sides
  readonly stride?: number
  /** As wide as keeps the size, without it none. */
  readonly padded?: boolean
}

/** Convolution, normalisation by the statistics of training, and max(0, x). */
function convolve(weights: Weights, x: Tensor, { kernel, stride = 1, padded = false }: Convolution): Tensor {
  using scope = tensorScope()
  const inputs = x.shape[1]
  const [outputs = inputs] = weights.shapeOf('conv.weight') ?? []
  const kernels = weights.parameter('conv.weight', [outputs, inputs, ...kernel], 'zeros')
  const ofChannels = (name: string) => weights.parameter(`bn.${name}`, [outputs], 'zeros')
  const [rows, columns] = kernel
  const y = conv2d(x, kernels, undefined, stride, padded ? [(rows - 1) / 2, (columns - 1) / 2] : 0)
  const scale = ofChannels('weight').mul(ofChannels('running_var').add(epsilon).rsqrt())
  const shift = ofChannels('bias').sub(ofChannels('running_mean').mul(scale))
  const perChannel = (values: Tensor) => values.reshape(outputs, 1, 1)
  return scope.keep(relu_(y.mul_(perChannel(scale)).add_(perChannel(shift))))
}

type Step = (weights: Weights, x: Tensor) => Tensor
const same = (kernel: Sides): Convolution => ({ kernel, padded: true })
const halved: Convolution = { kernel: [3, 3], stride: 2 }
const point = same([1, 1])
const [square3, square5, row3, column3, row7, column7] = [same([3, 3]), same([5, 5]), same([1, 3]), same([3, 1]), same([1, 7]), same([7, 1])] // prettier-ignore

const layer =
  (name: string, how: Convolution): Step =>
  (weights, x) =>
    convolve(weights.at(name), x, how)
const smaller: Step = (_, x) => maxPool(x, 3, 2, 0)
const meanAround: Step = (_, x) => averagePool(x, 3, 1, 1, false, false)
const greatestAround: Step = (_, x) => maxPool(x, 3, 1, 1)

/** Steps one behind another. */
const row =
  (...all: readonly Step[]): Step =>
  (weights, x) => {
    using scope = tensorScope()
    return scope.keep(all.reduce((h, step) => step(weights, h), x))
  }
/** Branches beside each other, joined by channel. */
const branches =
  (...all: readonly Step[]): Step =>
  (weights, x) => {
    using scope = tensorScope()
    return scope.keep(
      cat(
        all.map((branch) => branch(weights, x)),
        1,
      ),
    )
  }
const block =
  (name: string, ...all: readonly Step[]): Step =>
  (weights, x) =>
    branches(...all)(weights.at(name), x)

const pooled = (pool: Step) => row(pool, layer('branch_pool', point))
const blockA = (name: string) =>
  block(
    name,
    layer('branch1x1', point),
    row(layer('branch5x5_1', point), layer('branch5x5_2', square5)),
    row(layer('branch3x3dbl_1', point), layer('branch3x3dbl_2', square3), layer('branch3x3dbl_3', square3)),
    pooled(meanAround),
  )
const blockC = (name: string) =>
  block(
    name,
    layer('branch1x1', point),
    row(layer('branch7x7_1', point), layer('branch7x7_2', row7), layer('branch7x7_3', column7)),
    row(
      layer('branch7x7dbl_1', point),
      layer('branch7x7dbl_2', column7),
      layer('branch7x7dbl_3', row7),
      layer('branch7x7dbl_4', column7),
      layer('branch7x7dbl_5', row7),
    ),
    pooled(meanAround),
  )
const forked = (name: string) => branches(layer(`${name}a`, row3), layer(`${name}b`, column3))
const blockE = (name: string, pool: Step) =>
  block(
    name,
    layer('branch1x1', point),
    row(layer('branch3x3_1', point), forked('branch3x3_2')),
    row(layer('branch3x3dbl_1', point), layer('branch3x3dbl_2', square3), forked('branch3x3dbl_3')),
    pooled(pool),
  )

/** From [B, 3, 299, 299] to [B, d, 8, 8]. */
const steps: readonly Step[] = [
  layer('Conv2d_1a_3x3', halved),
  layer('Conv2d_2a_3x3', { kernel: [3, 3] }),
  layer('Conv2d_2b_3x3', square3),
  smaller,
  layer('Conv2d_3b_1x1', point),
  layer('Conv2d_4a_3x3', { kernel: [3, 3] }),
  smaller,
  ...['Mixed_5b', 'Mixed_5c', 'Mixed_5d'].map(blockA),
  block(
    'Mixed_6a',
    layer('branch3x3', halved),
    row(layer('branch3x3dbl_1', point), layer('branch3x3dbl_2', square3), layer('branch3x3dbl_3', halved)),
    smaller,
  ),
  ...['Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e'].map(blockC),
  block(
    'Mixed_7a',
    row(layer('branch3x3_1', point), layer('branch3x3_2', halved)),
    row(
      layer('branch7x7x3_1', point),
      layer('branch7x7x3_2', row7),
      layer('branch7x7x3_3', column7),
      layer('branch7x7x3_4', halved),
    ),
    smaller,
  ),
  blockE('Mixed_7b', meanAround),
  blockE('Mixed_7c', greatestAround),
]

/** pytorch-fid's own class has the layers in four lists. */
const listed: readonly (readonly (string | undefined)[])[] = [
  ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3'],
  ['Conv2d_3b_1x1', 'Conv2d_4a_3x3'],
  ['Mixed_5b', 'Mixed_5c', 'Mixed_5d', 'Mixed_6a', 'Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e'],
  ['Mixed_7a', 'Mixed_7b', 'Mixed_7c'],
]

/** The name of a tensor as the network asks for it. */
export function inceptionName(key: string): string {
  const [, list, place, rest] = /^blocks\.(\d+)\.(\d+)\.(.+)$/.exec(key) ?? []
  const name = listed[Number(list)]?.[Number(place)]
  return name === undefined ? key : `${name}.${rest}`
}

/** Tensors beside those of the features: a classifier, and counters of training. */
export const isBesideInception = (key: string): boolean => /^fc\.(weight|bias)$|\.num_batches_tracked$/.test(key)

const otherClasses = 1000

/**
 * @throws {FormatError} torchvision's network, which has the same names and makes other features
 */
export function expectFidVariant({ entries, files }: FoundWeights): void {
  const auxiliary = [...entries.keys()].find((key) => key.startsWith('AuxLogits.'))
  const isOther = auxiliary !== undefined || entries.get('fc.weight')?.shape[0] === otherClasses
  if (!isOther) return
  throw new FormatError({
    where: `${files.join(', ')} ${auxiliary ?? 'fc.weight'}`,
    expected: 'the Inception-v3 of the FID, with 1008 classes and no auxiliary ones',
    received: 'torchvision’s, whose blocks pool otherwise',
    remedy: 'take the weights pt_inception-2015-12-05 that pytorch-fid and torch-fidelity load, as .safetensors',
  })
}
