/**
 * A trained encoder on disk, as the file of a reward: adapters or weights over the encoder that it began with; or, of all
 * weights of a CLIPModel, the name of nothing else, since a CLIPModel of its own lies in the folder beside it.
 */
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { changeOf, downSuffix, upSuffix } from '../../networks/adapters.ts'
import { hashWeights } from '../../networks/checkpoint/hash-weights.ts'
import type { EncoderTuning, ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { expectFinite, largestValues } from '../../tensor/finite.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { logScaleName } from './trained-encoder.ts'

/** Programs that know heads alone must not take it for one. */
export const encoderFormat = 'attune-reward-3'
/** Folder of a CLIPModel beside the file. */
export const ownEncoderName = 'encoder'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256')
const Metadata = z.object({
  encoder: z.string().min(1),
  encoderSha256: Sha256,
  encoderPath: z.string().min(1).optional(),
  trained: z.enum(['lora', 'all']),
  /** alpha / rank of the adapters. */
  adapterScale: z.coerce.number().positive().optional(),
  /** Of the weights in the folder beside it. */
  ownSha256: Sha256.optional(),
})
type EncoderMetadata = z.infer<typeof Metadata>

export interface EncoderFile {
  readonly file: string
  readonly metadata: EncoderMetadata
  readonly logScale: number
  /** Of the change by their names; none where the folder beside the file has all. */
  readonly tensors: ReadonlyMap<string, Tensor>
}

interface Written {
  /** As it was before its training. */
  readonly encoder: ImageTextEncoder
  readonly parameters: ReadonlyMap<string, Tensor>
  /** Folder or hub name of the encoder; undefined where the model brought its own. */
  readonly encoderPath: string | undefined
  readonly trained: 'lora' | 'all'
  readonly adapterScale: number
}

/**
 * @throws {DivergenceError} a weight is not finite; nothing is written then
 * @throws {FileError}
 */
export function writeEncoder(file: string, { encoder, parameters, encoderPath, trained, adapterScale }: Written): void {
  using _scope = tensorScope()
  expectFinite(file, parameters)
  const { save, logitScale } = encoder.tuning!
  const change = new Map([...parameters].filter(([name]) => name !== logScaleName))
  const logScale = parameters.get(logScaleName)!
  let ownSha256: string | undefined
  if (trained === 'all' && save !== undefined) {
    const folder = join(dirname(file), ownEncoderName)
    save(folder, new Map([...change, [logitScale.parameter, logScale.detach().reshape()]]))
    ownSha256 = hashWeights([join(folder, 'model.safetensors')])
    change.clear()
  }
  writeSafetensors(file, new Map([...change, [logScaleName, logScale]]), {
    ...{ format: encoderFormat, trained, encoder: encoder.name, encoderSha256: encoder.sha256 },
    ...(encoderPath !== undefined && { encoderPath }),
    ...(trained === 'lora' && { adapterScale: String(adapterScale) }),
    ...(ownSha256 !== undefined && { ownSha256 }),
  })
}

const refused = (where: string, expected: string, received: string) =>
  new FormatError({ where, expected, received, remedy: 'give the folder of a `reward train` run, or train it again' })

/** @throws {FormatError} not a trained encoder @throws {FileError} */
export function readEncoder(file: string): EncoderFile {
  const { tensors, metadata } = unscoped(() => readSafetensors(file))
  const parsed = Metadata.safeParse(metadata)
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues
    throw refused(`${file} ${path.join('.')}`, 'the metadata of a reward', message)
  }
  const scale = tensors.get(logScaleName)
  const logScale = scale?.numel === 1 ? scale.item() : NaN
  if (!Number.isFinite(logScale)) {
    throw refused(`${file} ${logScaleName}`, 'one finite number', scale === undefined ? 'no such tensor' : `[${scale.shape.join(', ')}]`) // prettier-ignore
  }
  tensors.delete(logScaleName)
  return { file, metadata: parsed.data, logScale, tensors }
}

/**
 * The encoder as it was trained.
 * @param encoder that of the file, before its training
 * @throws {FormatError} names the tensor that is not of this encoder
 */
export function withTraining(encoder: ImageTextEncoder, { file, metadata, tensors }: EncoderFile): ImageTextEncoder {
  const { tuning } = encoder
  if (tuning === undefined) throw refused(file, 'an encoder whose weights can be changed', encoder.name)
  const shapes = metadata.trained === 'lora' ? adapterShapes(tuning, tensors) : weightShapes(tuning)
  for (const name of new Set([...shapes.keys(), ...tensors.keys()])) {
    const [expected, own] = [shapes.get(name), tensors.get(name)]
    if (expected !== undefined && own?.dtype === 'float32' && own.shape.join() === expected.join()) continue
    throw refused(
      `${file} ${name}`,
      expected === undefined ? `a parameter of ${encoder.name}` : `float32 [${expected.join(', ')}]`,
      own === undefined ? 'no such tensor' : `${own.dtype} [${own.shape.join(', ')}]`,
    )
  }
  const names = [...tensors.keys()]
  const broken = largestValues([...tensors.values()]).findIndex((value) => !Number.isFinite(value))
  if (broken >= 0) throw refused(`${file} ${names[broken]}`, 'finite numbers', 'NaN or infinity')
  const { device } = tuning.weights
  const placed = unscoped(() => new Map([...tensors].map(([name, one]) => [name, one.to(device)])))
  return tuning.with(changeOf(placed, metadata.adapterScale ?? 1))
}

function weightShapes({ weights, logitScale }: EncoderTuning): ReadonlyMap<string, readonly number[]> {
  const all = [...weights.tensors()].filter(([name]) => name !== logitScale.parameter)
  return new Map(all.map(([name, { shape }]) => [name, shape]))
}

/** Of all adapters, of the rank of the first one. */
function adapterShapes(
  tuning: EncoderTuning,
  tensors: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, readonly number[]> {
  const rank = [...tensors].find(([name]) => name.endsWith(downSuffix))?.[1].shape[0] ?? 1
  const targets = [...tuning.weights.tensors()].filter(([name]) => tuning.isAdapterTarget(name))
  return new Map(
    targets.flatMap(
      ([
        name,
        {
          shape: [out, inputs, ...kernel],
        },
      ]) => [
        [name + downSuffix, [rank, inputs, ...kernel]],
        [name + upSuffix, [out, rank, ...kernel.map(() => 1)]],
      ],
    ),
  )
}
