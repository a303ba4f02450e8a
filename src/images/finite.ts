/** Drawing stops where a state leaves the finite numbers: what would come of it is a black image. */
import type { Reached } from '../diffusion/sample.ts'
import { DivergenceError } from '../errors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Whether all elements are finite, and not so large that their sum is not. */
function isFinite(tensor: Tensor): boolean {
  using _scope = tensorScope()
  return Number.isFinite(tensor.to('float32').sum().item())
}

/** @throws {DivergenceError} a state is not finite: names the step and the likely cause */
export function expectFiniteState(state: Tensor, { step, steps, t, prediction }: Reached): void {
  if (isFinite(state)) return
  using _scope = tensorScope()
  const [batch] = state.shape
  const finite = state.flatten(1).isfinite().to('float32').sum(1).toArray()
  const broken = finite.filter((count) => count < state.numel / batch).length
  const from = isFinite(prediction) ? '' : ', as the denoiser predicted'
  throw new DivergenceError({
    where: `drawing, step ${step} of ${steps} (t = ${t})`,
    expected: 'finite states',
    received: `NaN or infinity in ${broken} of ${batch} images${from}`,
    remedy:
      'in fp16 the network overflows: draw with --mixed-precision bf16 or no; else a policy that diverged, an adapter that is too strong or damaged weights do this: draw without --policy to see which',
  })
}

/** @throws {DivergenceError} pixels are not finite, though the states before them were */
export function expectFinitePixels(pixels: Tensor): void {
  if (isFinite(pixels)) return
  throw new DivergenceError({
    where: 'drawing, decoding',
    expected: 'finite pixels',
    received: 'NaN or infinity, from finite latents',
    remedy:
      'the autoencoder overflows in fp16: draw with --mixed-precision bf16 or no, or give it "force_upcast": true in vae/config.json',
  })
}
