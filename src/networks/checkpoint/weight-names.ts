/** How diffusers and transformers name files of weights: whole, or in shards with an index, each in several precisions. */

/** What comes first in the name: diffusers' networks, and transformers'. */
export const weightStems = ['diffusion_pytorch_model', 'model'] as const
export type WeightStem = (typeof weightStems)[number]

/** Precisions that are kept beside the plain file, from the most exact. */
const variants = ['fp32', 'fp16', 'bf16'] as const
export type WeightVariant = (typeof variants)[number]

/** The files of one network in one precision. */
export interface WeightForm {
  /** The precision in the files' names; undefined of the plain ones. */
  readonly variant: WeightVariant | undefined
  /** A single file with everything. */
  readonly whole?: string
  /** A JSON file that says which shard holds which tensor. */
  readonly index?: string
  readonly shards: readonly string[]
}

const weightFile = pattern('^(stem)(?:\\.(variant))?(-\\d{5}-of-\\d{5})?(?:\\.(variant))?\\.safetensors$')
const indexFile = pattern('^(stem)\\.safetensors\\.index(?:\\.(variant))?\\.json$')

function pattern(text: string): RegExp {
  return new RegExp(text.replace('stem', weightStems.join('|')).replaceAll('variant', variants.join('|')))
}

/** What the names of a folder's files offer, by precision. A form without `whole` and `index` cannot be read. */
export function weightForms(names: readonly string[], stem: WeightStem): ReadonlyMap<string | undefined, WeightForm> {
  const forms = new Map<string | undefined, { -readonly [key in keyof WeightForm]: WeightForm[key] }>()
  const formOf = (variant: string | undefined) => {
    const form = forms.get(variant) ?? { variant: variant as WeightVariant | undefined, shards: [] }
    forms.set(variant, form)
    return form
  }
  for (const name of [...names].sort()) {
    const [, indexStem, indexVariant] = indexFile.exec(name) ?? []
    if (indexStem === stem) formOf(indexVariant).index = name
    const [, weightStem, before, shard, after] = weightFile.exec(name) ?? []
    if (weightStem !== stem) continue
    const form = formOf(before ?? after)
    if (shard === undefined) form.whole = name
    else form.shards = [...form.shards, name]
  }
  return forms
}

/** The form to take: of the wanted precision, else the plain one, else the most exact. */
export function preferredForm(
  forms: ReadonlyMap<string | undefined, WeightForm>,
  wanted?: WeightVariant,
): WeightForm | undefined {
  return [wanted, undefined, ...variants]
    .map((variant) => forms.get(variant))
    .find((form) => form?.whole !== undefined || form?.index !== undefined)
}
