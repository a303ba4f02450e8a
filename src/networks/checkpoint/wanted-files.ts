/** Which files of a model on the hub are worth a download: what Attune reads, in one precision, and never a pickle. */
import { ConfigError } from '../../errors.ts'
import { isPickle } from './pickle.ts'
import { preferredForm, weightForms, weightStems, type WeightForm, type WeightVariant } from './weight-names.ts'

const configFile =
  /^((scheduler_|tokenizer_|preprocessor_)?config|special_tokens_map|added_tokens|vocab|tokenizer)\.json$|^(merges|vocab)\.txt$/
export const pipelineFile = 'model_index.json'
/** Parts of a pipeline that Attune does without. */
const unusedParts: ReadonlySet<string> = new Set(['safety_checker', 'feature_extractor'])

/** The folders that a `model_index.json` names: `"unet": ["diffusers", "UNet2DConditionModel"]`. */
export function pipelineParts(index: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(index)
    .filter(([part, names]) => !unusedParts.has(part) && Array.isArray(names) && typeof names[0] === 'string')
    .map(([part]) => part)
}

/** What to choose from. */
export interface Offer {
  /** Paths of all files. */
  readonly paths: readonly string[]
  /** The folders of a pipeline; undefined of a model that lies in one folder, such as CLIP. */
  readonly parts?: readonly string[]
  /** Of a model in one folder: its configs and tokenizer files are read, and no weights. */
  readonly isVocabulary?: boolean
  /** The model's page, for errors. */
  readonly page: string
}

/**
 * The configs, tokenizer files and weights to download. A network that lacks the wanted precision comes in the plain one.
 *
 * @throws {ConfigError} no weights that can be read, or none in the wanted precision
 */
export function wantedFiles({ paths, parts, isVocabulary, page }: Offer, variant: WeightVariant | null): string[] {
  if (isVocabulary === true) return namesIn('', paths).filter((name) => configFile.test(name))
  const folders = parts?.map((part) => `${part}/`) ?? ['']
  const chosen = folders.flatMap((folder) => {
    const names = namesIn(folder, paths)
    const forms = weightStems.flatMap((stem) => preferredForm(weightForms(names, stem), variant ?? undefined) ?? [])
    if (forms.length === 0 && names.some(isPickle)) throw onlyPickles(`${page}/tree/main/${folder}`, names)
    return { folder, configs: names.filter((name) => configFile.test(name)), forms }
  })
  const forms = chosen.flatMap((one) => one.forms)
  if (forms.length === 0) throw noWeights(page)
  if (variant !== null && forms.every((form) => form.variant !== variant)) throw noVariant(variant, folders, paths)
  const wanted = chosen.flatMap(({ folder, configs, forms }) =>
    [...configs, ...forms.flatMap(filesOf)].map((name) => folder + name),
  )
  return parts === undefined ? wanted : [pipelineFile, ...wanted]
}

/** The names of the files directly in a folder. */
function namesIn(folder: string, paths: readonly string[]): string[] {
  return paths
    .filter((path) => path.startsWith(folder) && !path.includes('/', folder.length))
    .map((path) => path.slice(folder.length))
}

const filesOf = ({ whole, index, shards }: WeightForm) => (whole === undefined ? [index!, ...shards] : [whole])

function onlyPickles(where: string, names: readonly string[]): ConfigError {
  return new ConfigError({
    where,
    expected: 'safetensors files',
    received: 'only pickles, which run any code that they hold when they are read',
    remedy: names.includes('ImageReward.pt')
      ? 'fetch the converted copy: attune model fetch RE-N-Y/ImageReward'
      : 'look for a safetensors variant among the branches and pull requests of the model (--revision refs/pr/1), or convert it with diffusers’ save_pretrained(…, safe_serialization=True)',
  })
}

function noWeights(where: string): ConfigError {
  return new ConfigError({
    where,
    expected: 'a model in the layout of diffusers or transformers',
    received: `no ${weightStems.map((stem) => `${stem}.safetensors`).join(' or ')}`,
    remedy: 'choose a model of this layout, or download a single-file checkpoint by hand and give it as --model',
  })
}

function noVariant(variant: string, folders: readonly string[], paths: readonly string[]): ConfigError {
  const known = folders.flatMap((folder) =>
    weightStems.flatMap((stem) => [...weightForms(namesIn(folder, paths), stem).keys()]),
  )
  const named = [...new Set(known)].filter((one) => one !== undefined)
  return new ConfigError({
    where: '--variant',
    expected: ['no variant', ...named].join(', or '),
    received: variant,
    remedy: 'leave it out: the weights are converted as they are read',
  })
}
