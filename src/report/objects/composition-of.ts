/** Which objects a prompt asks for: as its file states them, or as its attributes or its words say. */
import { generalWords } from '../../prompts/general-words.ts'
import type { Attributes, Composition, Prompt } from '../../records.ts'

/** @returns undefined of a prompt that a detector cannot check: of a background, or of other words than these templates' */
export function compositionOf({ text, attributes, objects }: Prompt): Composition | undefined {
  return objects ?? (attributes === undefined ? ofText(text) : ofAttributes(attributes))
}

function ofAttributes({ object, color, count, background }: Attributes): Composition | undefined {
  if (object === undefined || background !== undefined) return undefined
  return asked([{ class: object, ...(color !== undefined && { color }), ...(count !== undefined && { count }) }])
}

interface Asked {
  readonly class: string
  readonly color?: string
  /** Exactly so many. */
  readonly count?: number
}

/** GenEval's kinds of prompts, by what is asked. */
function asked(all: readonly Asked[]): Composition {
  const isColored = all.some(({ color }) => color !== undefined)
  const counted = all.filter(({ count }) => count !== undefined)
  const tag =
    all.length > 1 ? (isColored ? 'color_attr' : 'two_object') : counted.length > 0 ? 'counting' : isColored ? 'colors' : 'single_object' // prettier-ignore
  return {
    tag,
    include: all.map(({ count = 1, ...one }) => ({ ...one, count })),
    ...(counted.length > 0 && {
      exclude: counted.map(({ class: name, count }) => ({ class: name, count: count! + 1 })),
    }),
  }
}

const longest = 500

/**
 * "a red apple", "four wolves", "a photo of a cat and a green dog", each with or without a place behind it ("on the moon"),
 * of which nothing is checked. A number counts; "a" does not.
 */
function ofText(text: string): Composition | undefined {
  if (text.length > longest) return undefined
  const { colors, counts } = generalWords(text)
  const words = text.trim().toLowerCase().replace(/[.!]$/, '').replace(/^a photo of /, '') // prettier-ignore
  const [things] = words.split(/ (?:on|in|at|under|near|over) (?:a|an|the) /)
  const parts = things.split(' and ')
  if (parts.length > 2) return undefined
  const shape = new RegExp(
    `^(?<count>an?|${counts.join('|')}) (?:(?<color>${colors.join('|')})(?:[- ]colou?red)? )?(?<noun>[a-z]+(?: [a-z]+)?)$`,
  )
  const read = parts.map((part): Asked | undefined => {
    const { count, color, noun } = shape.exec(part)?.groups ?? {}
    if (noun === undefined) return undefined
    const number = counts.indexOf(count) + 1
    return {
      class: number > 1 ? singular(noun) : noun,
      ...(color !== undefined && { color }),
      ...(number > 0 && { count: number }),
    }
  })
  const [first, second] = read
  if (first === undefined || (parts.length > 1 && (second === undefined || first.class === second.class)))
    return undefined
  return asked(read as Asked[])
}

function singular(noun: string): string {
  if (/[^aeiou]ies$/.test(noun)) return noun.replace(/ies$/, 'y')
  if (/(?:wol|lea|shel|hal|cal)ves$/.test(noun)) return noun.replace(/ves$/, 'f')
  if (/(?:ss|x|ch|sh)es$/.test(noun)) return noun.replace(/es$/, '')
  return noun.replace(/([^s])s$/, '$1')
}
