/** The policy that is sampled and trained: the guided prediction of a stage for rows of prompts. */
import { guide } from '../diffusion/guidance.ts'
import type { Predictor } from '../diffusion/sample.ts'
import {
  conditioningRows,
  joinConditionings,
  type Conditioning,
  type GenerativeModel,
  type ModelStage,
} from '../networks/generative-model.ts'
import { cat, indexOf } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Distinct prompts, encoded once; the first row is the empty prompt. */
export interface EncodedPrompts {
  readonly table: Conditioning
  readonly rowOf: ReadonlyMap<string, number>
}

/** What a stage is asked for: B samples. */
export interface SampleRows {
  /** B prompts. */
  readonly texts: readonly string[]
  /** x_0 of the stages before this one, [B, …] each; none of a first stage. */
  readonly earlier?: readonly Tensor[]
  /** B prompts to be led away from, in the place of the empty one. */
  readonly negatives?: readonly string[]
  /** Rows of `texts` among the encoded prompts, int64 [B], where they are on the device already. */
  readonly index?: Tensor
}

/** Rows of distinct prompts, the empty one first. */
export function promptRows(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map(['', ...new Set(texts.filter((text) => text !== ''))].map((text, row) => [text, row]))
}

/** Encodes the distinct texts. With gradients on, the graph reaches the text encoder. */
export function encodePrompts(model: GenerativeModel, texts: readonly string[]): EncodedPrompts {
  const rowOf = promptRows(texts)
  return { table: model.encodeText([...rowOf.keys()]), rowOf }
}

/** One row of conditioning a text; all texts must have been encoded. @param index see {@link SampleRows} */
export function rowsFor({ table, rowOf }: EncodedPrompts, texts: readonly string[], index?: Tensor): Conditioning {
  const { device } = Object.values(table)[0]
  const rows =
    index ??
    indexOf(
      texts.map((text) => rowOf.get(text)!),
      device,
    )
  return conditioningRows(table, rows)
}

/**
 * Classifier-free guided prediction, both branches in one batch. A scale of 1 or less asks for the conditional branch
 * alone, as in diffusers: 0 is how models that need no guidance are called. So it is at every scale for a network that
 * was distilled with guidance, which is told the scale instead. What the network computes in a narrower type is widened
 * before it is guided: the difference of two branches is small.
 *
 * @param prompts  texts and negatives of the rows, encoded by the stage's model
 * @param guidance scale w > 1: unconditional + w · (conditional − unconditional)
 * @returns        the prediction of states [B, …] at times [B]: [B, …], float32 (float64 of such a network), what the process
 *                 says that it predicts
 */
export function guidedPredictor(
  stage: ModelStage,
  prompts: EncodedPrompts,
  { texts, earlier = [], negatives = texts.map(() => ''), index }: SampleRows,
  guidance: number,
): Predictor {
  const given = stage.condition(rowsFor(prompts, texts, index), earlier)
  if (stage.tellGuidance !== undefined || guidance <= 1) {
    const told = stage.tellGuidance?.(given, guidance) ?? given
    return toldBy(told, (xt, t, rows) => widened(stage.predict(xt, t, rows)))
  }
  const batch = texts.length
  const away = stage.condition(rowsFor(prompts, negatives), earlier)
  return toldBy(joinConditionings(away, given), (xt, t, branches) => {
    const both = widened(stage.predict(cat([xt, xt]), cat([t, t]), branches))
    return guide(both.slice(0, 0, batch), both.slice(0, batch, 2 * batch), guidance)
  })
}

/** A predictor that is told this, or the same tensors where a way back begins at them. */
function toldBy(own: Conditioning, predict: (xt: Tensor, t: Tensor, given: Conditioning) => Tensor): Predictor {
  const names = Object.keys(own)
  const named = (given: readonly Tensor[]): Conditioning =>
    given.length === 0 ? own : Object.fromEntries(names.map((name, place) => [name, given[place]]))
  return Object.assign((xt: Tensor, t: Tensor, ...given: Tensor[]) => predict(xt, t, named(given)), {
    given: Object.values(own),
  })
}

const widened = (said: Tensor) => (said.dtype === 'float64' ? said : said.to('float32'))
