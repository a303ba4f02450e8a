/** The transformer layers that CLIP's two towers share (Radford et al. 2021), under transformers' names. */
import { attention, quickGelu } from '../../tensor/functional.ts'
import { checkpointed } from '../../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { TransformerSize } from './config.ts'

/**
 * Layers `from` … `to − 1` of a tower: x [B, n, width] → same.
 * @param weights of the tower
 * @param causal whether token i sees tokens 0 … i alone
 */
export function transformerLayers(
  weights: Weights,
  x: Tensor,
  size: TransformerSize,
  { from = 0, to = size.layers, causal }: { from?: number; to?: number; causal: boolean },
): Tensor {
  let h = x
  for (let i = from; i < to; i++) {
    const own = weights.at(`encoder.layers.${i}`)
    const next = checkpointed((x) => layer(own, x, size, causal), h)
    // The states of dozens of layers would be most of the memory.
    if (h !== x) h.dispose()
    h = next
  }
  return h
}

/** As transformers' CLIPEncoderLayer: self-attention and feed-forward, each behind a norm and beside a residual. */
function layer(weights: Weights, x: Tensor, size: TransformerSize, causal: boolean): Tensor {
  using scope = tensorScope()
  const { width, heads, feedForward, epsilon } = size
  const [batch, length] = x.shape
  const normed = weights.layerNorm('layer_norm1', x, width, epsilon)
  const split = (name: string) =>
    weights
      .linear(`self_attn.${name}`, normed, width, width)
      .reshape(batch, length, heads, width / heads)
      .transpose(1, 2)
  const mixed = attention(split('q_proj'), split('k_proj'), split('v_proj'), undefined, causal)
  const joined = mixed.transpose(1, 2).reshape(batch, length, width)
  const h = x.add(weights.linear('self_attn.out_proj', joined, width, width))
  const hidden = weights.linear('mlp.fc1', weights.layerNorm('layer_norm2', h, width, epsilon), width, feedForward)
  const activated = size.activation === 'quick_gelu' ? quickGelu(hidden) : hidden.gelu()
  return scope.keep(h.add(weights.linear('mlp.fc2', activated, feedForward, width)))
}
