/** Which keys of a LoRA file belong to which weight of a model. */
import { FormatError } from '../../errors.ts'
import { describeTensors } from './kind-of-tensors.ts'
import {
  indexLayers,
  namesNetwork,
  parseLoraKey,
  plainLayer,
  unsupportedKind,
  type LoraForm,
  type LoraKey,
} from './lora-keys.ts'

/** The keys of one adapted layer. */
export interface LoraLayer {
  /** The weight's name in the model. */
  readonly name: string
  readonly down: string
  readonly up: string
  readonly alpha: string | undefined
}

export interface LoraLayers {
  readonly form: LoraForm
  /** Written by PEFT itself, which keeps alpha in a file beside. */
  readonly wrapped: boolean
  readonly layers: readonly LoraLayer[]
}

/**
 * Sorts a file's keys by the weights that they change.
 * @throws {FormatError} no key of a LoRA, keys of another kind of adapter, of two forms or of no layer of the model, half
 * a layer, one layer twice
 */
export function findLoraLayers(
  file: string,
  keys: Iterable<string>,
  targets: ReadonlyMap<string, readonly number[]>,
  modelName: string,
  metadata: Readonly<Record<string, string>>,
): LoraLayers {
  const parsed = parseKeys(file, [...keys])
  const { form } = parsed[0]
  const other = parsed.find((one) => one.form !== form)
  if (other !== undefined) throw unknownKey(file, other.key, `keys in the form of ${form} throughout`)
  // Files of one network leave its name out, which is always the denoiser's.
  const prefix = form === 'diffusers' && !parsed.some(({ layer }) => namesNetwork(plainLayer(layer))) ? 'unet.' : ''
  const index = indexLayers(targets)
  const found = new Map<string, Partial<Record<LoraKey['part'], string>>>()
  for (const { key, layer, part } of parsed) {
    const name = index.get(form === 'kohya' ? layer : prefix + plainLayer(layer))
    if (name === undefined) throw misfit(file, key, modelName, metadata)
    const parts = found.get(name) ?? {}
    if (parts[part] !== undefined) {
      throw new FormatError({
        where: `${file} ${key}`,
        expected: `one ${part} of ${name}`,
        received: `two: this and ${parts[part]}`,
        remedy: 'remove one of them',
      })
    }
    parts[part] = key
    found.set(name, parts)
  }
  const layers = [...found].map(([name, { down, up, alpha }]) => {
    if (down !== undefined && up !== undefined) return { name, down, up, alpha }
    throw new FormatError({
      where: `${file} ${down ?? up ?? alpha}`,
      expected: `both factors of the change of ${name}`,
      received: down === undefined && up === undefined ? 'neither' : 'one',
      remedy: 'the file is incomplete; fetch or export it again',
    })
  })
  return { form, wrapped: parsed.some(({ layer }) => layer.startsWith('base_model.model.')), layers }
}

function parseKeys(file: string, keys: readonly string[]): readonly (LoraKey & { readonly key: string })[] {
  for (const key of keys) {
    const kind = unsupportedKind(key)
    if (kind === undefined) continue
    throw new FormatError({
      where: `${file} ${key}`,
      expected: 'plain LoRA, two matrices a layer',
      received: `${kind}, which is not supported`,
      remedy: 'merge it into the checkpoint with the program that made it, or use a plain LoRA',
    })
  }
  const parsed = keys.map((key) => ({ key, own: parseLoraKey(key) }))
  if (!parsed.some(({ own }) => own !== undefined && own.part !== 'alpha')) {
    throw new FormatError({
      where: file,
      expected: 'a LoRA, with keys such as unet.….lora_A.weight or lora_unet_….lora_down.weight',
      received: describeTensors(keys),
      remedy: 'check that it is a LoRA file and not a whole checkpoint',
    })
  }
  return parsed.map(({ key, own }) => {
    if (own === undefined) throw unknownKey(file, key, 'keys of a LoRA only')
    return { key, ...own }
  })
}

function unknownKey(file: string, key: string, expected: string): FormatError {
  return new FormatError({
    where: file,
    expected,
    received: key,
    remedy: 'export the LoRA again, without other tensors',
  })
}

/** A key that names no layer of the model: mostly a LoRA for another kind of model. */
function misfit(file: string, key: string, modelName: string, metadata: Readonly<Record<string, string>>): FormatError {
  const fields = ['attune.model', 'ss_base_model_version', 'modelspec.architecture']
  const said = fields.map((field) => metadata[field]).find((value) => value !== undefined)
  return new FormatError({
    where: `${file} ${key}`,
    expected: `a layer of ${modelName}`,
    received: `one that it does not have${said === undefined ? '' : `, of a LoRA for ${said}`}`,
    remedy: 'give a LoRA that was trained for this kind of model',
  })
}
