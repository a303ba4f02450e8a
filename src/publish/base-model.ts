/** What a policy's base model is to its readers: its name on the hub, its family and its licence, as far as they are known here. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { parseHubName } from '../networks/checkpoint/hub-name.ts'
import { shapesWorld } from '../shapes/world.ts'
import { licenceOf } from './licence.ts'
import type { BaseFamily, CardFacts } from './facts.ts'

/**
 * @param model  as a command names it; null where nobody has said
 * @param told   name and hash in the header of the policy's file
 */
export function baseModelOf(
  model: string | null,
  told: { readonly name: string | null; readonly sha256: string | null },
  family: BaseFamily,
): CardFacts['base'] {
  if (model !== null && shapesWorld.models.includes(model)) {
    return { name: model, isOnHub: false, sha256: told.sha256, family: 'embedded', licence: { id: 'apache-2.0' } }
  }
  const hub = model === null || existsSync(model) ? hubNameIn(model ?? '') : parseHubName(model)?.name
  return {
    name: hub ?? (model === null ? told.name : basename(model)),
    isOnHub: hub !== undefined,
    sha256: told.sha256,
    family,
    licence: model === null ? null : licenceOf(model),
  }
}

/** Of a path in the cache that the Hugging Face libraries share. */
function hubNameIn(path: string): string | undefined {
  const [, owner, name] = /(?:^|[/\\])models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]/.exec(path) ?? []
  return name === undefined ? undefined : `${owner}/${name}`
}

/** By the width of what the denoiser's cross-attention reads: the text encoders of the versions differ in it. */
export function familyOfWidth(width: number | undefined): BaseFamily {
  switch (width) {
    case 768:
      return 'stable-diffusion'
    case 1024:
      return 'stable-diffusion-2'
    case 2048:
      return 'stable-diffusion-xl'
    default:
      return 'unknown'
  }
}

/** How a reward or an encoder is called to others: without places of this machine and addresses of its network. */
export function publicName(given: string): string {
  if (/^[a-z]+:\/\//i.test(given)) return 'a reward of another program'
  return parseHubName(given) !== undefined && !existsSync(given) && !given.startsWith('runs/') ? given : basename(given)
}
