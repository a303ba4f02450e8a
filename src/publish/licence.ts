/** The licence of a model, from the card that lies beside it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '../errors.ts'
import { resolveCheckpoint } from '../networks/checkpoint/resolve-checkpoint.ts'
import type { Licence } from './facts.ts'

/** Of a model that lies here: what the card beside it says. */
export function licenceOf(model: string): Licence | null {
  try {
    const folder = statSync(model, { throwIfNoEntry: false })?.isFile() === true ? undefined : resolveCheckpoint(model)
    if (folder === undefined) return null
    const card = join(folder, 'README.md')
    return existsSync(card) ? licenceIn(readFileSync(card, 'utf8')) : null
  } catch (error) {
    // The model is not here, or not any more.
    if (error instanceof AttuneError) return null
    throw error
  }
}

/** The licence in the YAML header of a model card; null where it tells none. */
export function licenceIn(card: string): Licence | null {
  const [, yaml] = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(card.slice(0, 100_000)) ?? []
  if (yaml === undefined) return null
  const field = (name: string) => {
    const [, value] = new RegExp(`^${name}:[ \\t]*(\\S.*?)[ \\t]*$`, 'm').exec(yaml) ?? []
    const text = value?.replace(/^(["'])(.*)\1$/, '$2').trim()
    return text === undefined || text === '' || text.length > 300 ? undefined : text
  }
  const id = field('license')
  if (id === undefined || !/^[\w.+-]{1,80}$/.test(id)) return null
  const [name, link] = [field('license_name'), field('license_link')]
  return { id, ...(name !== undefined && { name }), ...(link !== undefined && { link }) }
}
