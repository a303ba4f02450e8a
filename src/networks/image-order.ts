/** In which order the numbers of an image lie in memory while a network computes: decided here for all networks. */
import { channelsLast, type ImageOrder } from '../tensor/channels-last.ts'
import type { Dtype } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * By places in half precision on a GPU, whose convolutions compute so. In float32 without TF32 their quicker kernels are those
 * of rows, and a CPU wins nothing by places at these sizes (docs/benchmarks.md).
 */
export function imageOrderOn(device: string, dtype: Dtype): ImageOrder {
  return device.startsWith('cuda') && (dtype === 'bfloat16' || dtype === 'float16') ? 'places' : 'rows'
}

/** An image or a kernel [B, C, H, W] in this order, a new tensor where it has another; what has other dimensions as it is. */
export function inOrder(x: Tensor, order: ImageOrder): Tensor {
  if (x.shape.length !== 4) return x
  return order === 'places' ? channelsLast(x) : x.contiguous()
}
