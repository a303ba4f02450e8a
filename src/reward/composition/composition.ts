/** Rewards made of others, as `--reward` writes them. */
import { existsSync } from 'node:fs'
import { ConfigError } from '../../errors.ts'
import { isAddress } from '../http/address.ts'

/** How the parts become one score. */
export const compositionKinds = ['sum', 'min', 'product', 'lower'] as const

interface Part {
  /** As a reward is named. */
  readonly name: string
  /** Of a sum; below zero, the part counts against an image. */
  readonly weight: number
}

export interface Composition {
  readonly kind: (typeof compositionKinds)[number]
  readonly parts: readonly Part[]
  /** Deviations that `lower` takes off. */
  readonly k: number
}

/** What they are, as messages and help say it. */
export const compositionWords =
  'several rewards: a=0.7,b=0.3, min(a,b), product(a,b), or lower(a,b,c; k=1), each normalised on images of the base model; lower(run; k=1) of the ensemble of a run of `reward train`'

const mostParts = 16
const called = /^(min|product|lower)\s*\((.*)\)$/s

/**
 * What a name says where it is a composition; undefined of any other. What lies on the disk under the whole name is that, and
 * no composition. Names of parts that hold one of , = ; ( ) " stand in double quotes.
 *
 * @throws {ConfigError} it begins as a composition, and is none
 */
export function compositionOf(name: string): Composition | undefined {
  const call = called.exec(name.trim())
  if (call === null && !hasOutside(name, '=')) return undefined
  if (existsSync(name) || (isAddress(name) && !hasOutside(name, ','))) return undefined
  const composition = call === null ? sumOf(name) : callOf(name, call[1] as 'min' | 'product' | 'lower', call[2])
  const names = composition.parts.map((part) => part.name)
  if (names.length < 2 && !isOwnEnsemble(composition))
    throw refused(name, 'at least two rewards', 'one: name it alone, or give another')
  if (names.length > mostParts) throw refused(name, `at most ${mostParts} rewards`, `${names.length}`)
  const twice = names.find((one, place) => names.indexOf(one) !== place)
  if (twice !== undefined) throw refused(name, 'each reward once', `${twice} twice`)
  return composition
}

/** A lower bound of a reward by the members of its own ensemble, which are on one scale. */
export const isOwnEnsemble = ({ kind, parts }: Composition): boolean => kind === 'lower' && parts.length === 1

function sumOf(name: string): Composition {
  const parts = pieces(name, name, ',').map((piece): Part => {
    const place = outside(piece, '=').at(-1)
    if (place === undefined)
      throw refused(name, 'a weight of each reward, as a=0.7,b=0.3', `${piece.trim()} without one`)
    const written = piece.slice(place + 1).trim()
    const weight = numberOf(written)
    if (weight === undefined || weight === 0) {
      throw refused(name, `a weight other than 0 behind ${piece.slice(0, place).trim()}`, written || 'nothing')
    }
    return { name: partName(name, piece.slice(0, place)), weight }
  })
  return { kind: 'sum', parts, k: 0 }
}

function callOf(name: string, kind: 'min' | 'product' | 'lower', inside: string): Composition {
  const [list, ...settings] = pieces(name, inside, ';')
  const items = pieces(name, list, ',')
  // `lower(a,b,k=2)` can mean nothing else.
  if (kind === 'lower' && settings.length === 0 && /^\s*k\s*=/.test(items.at(-1)!)) settings.push(items.pop()!)
  const [setting, ...more] = settings
  const [, written] = (kind === 'lower' && /^\s*k\s*=(.*)$/s.exec(setting ?? 'k=1')) || []
  const k = written === undefined ? undefined : numberOf(written.trim())
  const isLower = kind === 'lower'
  if (more.length > 0 || (isLower ? k === undefined || k < 0 : setting !== undefined)) {
    const expected = isLower
      ? 'a number k of 0 or more behind the rewards, as lower(a,b; k=1)'
      : `rewards alone in ${kind}(a,b)`
    throw refused(name, expected, settings.join(';').trim() || 'nothing')
  }
  const parts = items.map((item): Part => {
    if (hasOutside(item, '=')) throw refused(name, `rewards without weights in ${kind}(…)`, item.trim())
    return { name: partName(name, item), weight: 1 }
  })
  return { kind, parts, k: k ?? 0 }
}

function partName(whole: string, written: string): string {
  const trimmed = written.trim()
  const quoted = /^"([^"]*)"$/s.exec(trimmed)?.[1]
  const name = quoted ?? trimmed
  if (name === '') throw refused(whole, 'the name of a reward', 'nothing')
  if (quoted === undefined && /[=;()"]/.test(name)) {
    throw refused(
      whole,
      'names of rewards',
      name,
      'put a path with , = ; ( ) into double quotes; a composition in another one is named by its composed-reward.json',
    )
  }
  return name
}

function numberOf(written: string): number | undefined {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(written) && Number.isFinite(Number(written))
    ? Number(written)
    : undefined
}

/** Places of a sign that do not stand in quotes. */
function outside(text: string, sign: string): number[] {
  const places: number[] = []
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted
    else if (text[i] === sign && !isQuoted) places.push(i)
  }
  return places
}

const hasOutside = (text: string, sign: string) => outside(text, sign).length > 0

function pieces(whole: string, text: string, sign: string): string[] {
  if (text.split('"').length % 2 === 0) throw refused(whole, 'a quote at both ends of a name', 'one')
  const ends = [...outside(text, sign), text.length]
  return ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1] + 1, end))
}

const refused = (
  name: string,
  expected: string,
  received: string,
  remedy = 'see --help of --reward, or give one reward',
) => new ConfigError({ where: `--reward ${name}`, expected, received, remedy })
