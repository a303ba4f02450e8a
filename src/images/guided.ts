/** The policy that is sampled and trained: the guided prediction of a model for rows of prompts. */
import { guide } from '../diffusion/guidance.ts'
import {
  conditioningRows,
  joinConditionings,
  type Conditioning,
  type GenerativeModel,
} from '../networks/generative-model.ts'
import { cat, tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Distinct prompts, encoded once; the first row is the empty prompt. */
export interface EncodedPrompts {
  readonly table: Conditioning
  readonly rowOf: ReadonlyMap<string, number>
}

/** Encodes the distinct texts. With gradients on, the graph reaches the text encoder. */
export function encodePrompts(model: GenerativeModel, texts: readonly string[]): EncodedPrompts {
  const distinct = ['', ...new Set(texts.filter((text) => text !== ''))]
  return { table: model.encodeText(distinct), rowOf: new Map(distinct.map((text, row) => [text, row])) }
}

/** One row of conditioning a text; all texts must have been encoded. */
export function rowsFor({ table, rowOf }: EncodedPrompts, texts: readonly string[]): Conditioning {
  const index = texts.map((text) => rowOf.get(text)!)
  const { device } = Object.values(table)[0]
  return conditioningRows(table, tensor(index, [index.length], 'int64').to(device))
}

/**
 * Classifier-free guided prediction, both branches in one batch. A scale of 1 or less asks for the conditional branch
 * alone, as in diffusers: 0 is how models that need no guidance are called. So it is at every scale for a network that
 * was distilled with guidance, which is told the scale instead. What the network computes in a narrower type is widened
 * before it is guided: the difference of two branches is small.
 *
 * @param xt       states [B, …]
 * @param t        training times, int64 [B]
 * @param texts    B prompts
 * @param guidance scale w > 1: unconditional + w · (conditional − unconditional)
 * @param negatives B prompts to be led away from, in the place of the empty one; encoded as well
 * @returns        [B, …], float32, the model's prediction type
 */
export function predictGuided(
  model: GenerativeModel,
  prompts: EncodedPrompts,
  texts: readonly string[],
  xt: Tensor,
  t: Tensor,
  guidance: number,
  negatives: readonly string[] = texts.map(() => ''),
): Tensor {
  const rows = rowsFor(prompts, texts)
  if (model.tellGuidance !== undefined) return model.predict(xt, t, model.tellGuidance(rows, guidance)).to('float32')
  if (guidance <= 1) return model.predict(xt, t, rows).to('float32')
  const batch = texts.length
  const away = rowsFor(prompts, negatives)
  const both = model.predict(cat([xt, xt]), cat([t, t]), joinConditionings(away, rows)).to('float32')
  return guide(both.slice(0, 0, batch), both.slice(0, batch, 2 * batch), guidance)
}
