/**
 * OWL-ViT, which finds what texts name in images (Minderer et al. 2022), as transformers' OwlViTForObjectDetection: CLIP's
 * two towers, and on each patch of the image a box and a score for each text.
 */
import { cat, tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import type { OwlVitConfig } from '../clip/config.ts'
import { projectText, textModel } from '../clip/text-model.ts'
import { visionStates } from '../clip/vision-model.ts'
import type { Weights } from '../weights.ts'

const elu = operator<[x: Tensor], Tensor>('elu')

/** Texts as tokens int64 [n, length] → rows of unit length [n, projection]. */
export function embedQueries(weights: Weights, { text, projection }: OwlVitConfig, ids: Tensor): Tensor {
  using scope = tensorScope()
  const owl = weights.at('owlvit')
  return scope.keep(unit(projectText(owl, text, projection, textModel(owl, text, ids).pooled), 0))
}

/**
 * @param weights of the whole network
 * @param pixels  [B, 3, imageSize, imageSize], normalised, on the device of the weights
 * @param queries of {@link embedQueries}, [n, projection]
 * @returns logits [B, patches, n], before the logistic function, and boxes [B, patches, 4]: the middle in x and y, width
 *   and height, as shares of the image's
 * @throws {FormatError} names a tensor that is missing or has another shape
 */
export function findBoxes(
  weights: Weights,
  { vision, projection }: OwlVitConfig,
  pixels: Tensor,
  queries: Tensor,
): { readonly logits: Tensor; readonly boxes: Tensor } {
  using scope = tensorScope()
  const { width, epsilon, imageSize, patchSize } = vision
  const tower = weights.at('owlvit.vision_model')
  const states = tower.layerNorm('post_layernorm', visionStates(tower, vision, pixels, 'pre_layernorm'), width, epsilon)
  const patches = states.slice(1, 1, states.shape[1]).mul(states.slice(1, 0, 1))
  const features = weights.layerNorm('layer_norm', patches, width, epsilon)

  const classes = weights.at('class_head')
  const seen = unit(classes.linear('dense0', features, width, projection), 1e-6)
  const cosines = seen.matmul(unit(queries, 1e-6).transpose(0, 1))
  const shift = classes.linear('logit_shift', features, width, 1)
  const scale = elu(classes.linear('logit_scale', features, width, 1)).add(1)

  const head = weights.at('box_head')
  const hidden = head.linear('dense1', head.linear('dense0', features, width, width).gelu(), width, width).gelu()
  const grid = Math.floor(imageSize / patchSize)
  const boxes = head.linear('dense2', hidden, width, 4).add(boxBias(grid).to(pixels.device)).sigmoid()
  return { logits: scope.keep(cosines.add(shift).mul(scale)), boxes: scope.keep(boxes) }
}

/** Rows of length one; `added` to their length, as each place where transformers does this has it. */
const unit = (rows: Tensor, added: number) => rows.div(rows.square().sum(-1, true).sqrt().add(added))

/** Where boxes begin: at their patch's far corner and of its size, before the logistic function. [grid², 4] */
function boxBias(grid: number): Tensor {
  const before = (share: number) => Math.log(share + 1e-4) - Math.log1p(-share + 1e-4)
  const size = before(1 / grid)
  const rows = Array.from({ length: grid }, (_, y) =>
    tensor(
      Array.from({ length: grid }, (_, x) => [before((x + 1) / grid), before((y + 1) / grid), size, size]).flat(),
      [grid, 4],
    ),
  )
  return cat(rows)
}
