/**
 * Latents on disk, as diffusers' `latents=` and `output_type="latent"`: a tensor `latents` [images, C, h, w], or one
 * `latents.<stage>` [images, …] for each stage of a model that has several.
 */
import { FormatError } from '../errors.ts'
import type { GenerativeModel, ModelStage } from '../networks/generative-model.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

export const latentsFileName = 'latents.safetensors'

const tensorName = ({ stages }: GenerativeModel, { name }: ModelStage) =>
  stages.length === 1 ? 'latents' : `latents.${name}`

/**
 * x_T of every image of a run, float32, by the names of stages. A stage without a tensor begins with noise of its own; one
 * at least has one.
 *
 * @throws {FileError | FormatError} no such file, or latents of another number or size
 */
export function readStarts(file: string, images: number, model: GenerativeModel): Map<string, Tensor> {
  const wanted = new Map(model.stages.map((stage) => [tensorName(model, stage), stage]))
  const { tensors } = unscoped(() => readSafetensors(file, { only: (name) => wanted.has(name) }))
  if (tensors.size === 0) {
    const [[name, { stateShape }]] = wanted
    throw unfitting(`${file} ${name}`, [images, ...stateShape])
  }
  const starts = new Map<string, Tensor>()
  for (const [key, latents] of tensors) {
    const { name, stateShape } = wanted.get(key)!
    const shape = [images, ...stateShape]
    if (latents.shape.join() !== shape.join()) throw unfitting(`${file} ${key}`, shape, latents)
    const wide = unscoped(() => latents.to('float32'))
    if (!Number.isFinite(wide.sum().item())) {
      throw new FormatError({
        where: `${file} ${key}`,
        expected: 'finite numbers',
        received: 'NaN or infinity',
        remedy: 'make them again',
      })
    }
    starts.set(name, wide)
  }
  return starts
}

function unfitting(where: string, shape: readonly number[], found?: Tensor): FormatError {
  return new FormatError({
    where,
    expected: `a tensor [${shape.join(', ')}], one row an image`,
    received: found === undefined ? 'none of this name' : `[${found.shape.join(', ')}]`,
    remedy: 'give x_T of every image in the order of the prompts, at this resolution',
  })
}

/**
 * Writes x_0 of the images of a run, in their order.
 *
 * @param states [images, …] by the names of stages
 * @throws {FileError}
 */
export function writeLatents(file: string, model: GenerativeModel, states: ReadonlyMap<string, Tensor>): void {
  const named = model.stages.map((stage) => [tensorName(model, stage), states.get(stage.name)!] as const)
  writeSafetensors(file, new Map(named), { format: 'attune-latents-1' })
}
