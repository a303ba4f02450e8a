/**
 * The prompts of two papers, as files for `--prompts`.
 *
 * `paper-prompts.ts dpok FOLDER` (Fan et al. 2023): for each of the four prompts of Figure 2 a folder, named by its category,
 * with `seen.jsonl`, the prompt alone, and `unseen.jsonl`, the same said of other things; `multi`, many prompts of these
 * categories. DPOK's composition is our category `combination`, its location our `background`.
 *
 * `paper-prompts.ts lee FOLDER [PROMPTS] [REPORTED]` (Lee et al. 2023): `seen.jsonl`, to label and to train on (2,775, or so
 * many of them); `report-seen.jsonl`, 60 of those, and `report-unseen.jsonl`, 60 of five objects that are nowhere else;
 * `distractors.jsonl`, wrong prompts for prompt classification (Eq. 1).
 *
 * Of Lee et al.'s lists their sizes are known: one of 25 objects with a count up to six, one of nine colours, one of eight
 * backgrounds, or all three, 2,774 in all. The words are ours, and so are the prompts of `multi`, where the paper has 104 captions
 * of MS-COCO and the 183 prompts of DrawBench.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../src/errors.ts'
import { writeFileAtomic, writing } from '../src/files.ts'
import { writePrompts } from '../src/prompts/prompt-file.ts'
import { random, streamOf } from '../src/random.ts'
import type { Attributes, Prompt } from '../src/records.ts'

interface Noun {
  readonly singular: string
  readonly plural: string
}
const nouns = (words: string): Noun[] =>
  words.split(' ').map((word) => {
    const [singular, plural = `${singular}s`] = word.split('/')
    return { singular, plural }
  })

const objects = nouns(
  'tiger rabbit wolf/wolves dog cat bear horse cow sheep/sheep elephant monkey fox/foxes bird frog turtle ' +
    'car bicycle boat chair cup vase clock backpack umbrella apple',
)
/** Of the prompts that nothing is trained on. */
const heldOut = nouns('lion pig duck bus/buses bottle')
const colors = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'black', 'white']
const counts = ['One', 'Two', 'Three', 'Four', 'Five', 'Six']
const backgrounds =
  'on the moon, in the park, on the street, in the desert, in the forest, on the beach, in the snow, on a table'.split(', ') // prettier-ignore
/** Of each object: with the other templates 111 prompts. */
const combinations = 88
const mostDistractors = 12

const stream = random(streamOf('paper prompts'))
const kinds = ['color', 'count', 'background', 'combination'] as const
type Kind = (typeof kinds)[number]

/** What a template states of an object; DPOK's composition has another thing beside it. */
interface Stated extends Omit<Attributes, 'object'> {
  readonly noun: Noun
  readonly beside?: Noun
}

const withArticle = (words: string) => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`
const asSentence = (text: string) => text[0].toUpperCase() + text.slice(1)

function textOf({ noun, beside, color, count, background }: Stated): string {
  const place = background === undefined ? '' : ` ${background}`
  if (count === undefined) {
    const thing = withArticle(color === undefined ? noun.singular : `${color} colored ${noun.singular}`)
    return asSentence(`${thing}${beside === undefined ? '' : ` and ${withArticle(beside.singular)}`}${place}`)
  }
  const things = count === 1 ? noun.singular : noun.plural
  return `${counts[count - 1]} ${color === undefined ? '' : `${color} `}${things}${place}`
}

function promptOf(stated: Stated, category: Kind, id: string): Prompt {
  const { noun, beside, ...others } = stated
  // Attributes are of one object.
  const attributes = beside === undefined ? { attributes: { object: noun.singular, ...others } } : {}
  return { id, text: textOf(stated), category, ...attributes }
}

// ---- Lee et al. -------------------------------------------------------------------------------------------------------

type Made = readonly [stated: Stated, category: Kind]

const numbers = counts.map((_, place) => place + 1)

/** All prompts of the templates about one object. */
function aboutObject(noun: Noun): Made[] {
  const all = numbers.flatMap((count) =>
    colors.flatMap((color) => backgrounds.map((background) => ({ noun, count, color, background }))),
  )
  const stated: Record<Kind, Stated[]> = {
    color: colors.map((color) => ({ noun, color })),
    count: numbers.map((count) => ({ noun, count })),
    background: backgrounds.map((background) => ({ noun, background })),
    combination: stream.shuffle(all).slice(0, combinations),
  }
  return kinds.flatMap((kind) => stated[kind].map((one) => [one, kind] as const))
}

/** Texts that are wrong for a good image of a prompt: one thing that it states is another. */
function wrongFor(stated: Stated): string[] {
  const { noun, color, count, background } = stated
  const changed: Stated[] = [
    ...(color === undefined ? [] : colors.map((other) => ({ ...stated, color: other }))),
    ...(count === undefined ? [] : numbers.map((other) => ({ ...stated, count: other }))),
    ...(background === undefined ? [] : backgrounds.map((other) => ({ ...stated, background: other }))),
    ...stream.shuffle(objects.filter((other) => other !== noun)).slice(0, 4).map((other) => ({ ...stated, noun: other })), // prettier-ignore
  ]
  const own = textOf(stated)
  return stream.shuffle(changed.map(textOf).filter((text) => text !== own)).slice(0, mostDistractors)
}

/** So many, of each category as many as possible. */
function ofAllKinds(made: readonly Made[], count: number): Made[] {
  const byKind = kinds.map((kind) => stream.shuffle(made.filter(([, category]) => category === kind)))
  const longest = Math.max(...byKind.map((list) => list.length))
  const inTurns = Array.from({ length: longest }, (_, place) => byKind.flatMap((list) => list.slice(place, place + 1)))
  return inTurns.flat().slice(0, count)
}

async function writeLee(folder: string, count: number, reported: number): Promise<void> {
  const all = objects.flatMap(aboutObject)
  const others = heldOut.flatMap(aboutObject)
  const seen = count < all.length ? ofAllKinds(all, count) : all
  const write = (name: string, made: readonly Made[]) =>
    writePrompts(join(folder, name), made.map(([stated, kind], i) => promptOf(stated, kind, `${kind}-${i + 1}`))) // prettier-ignore
  await write('seen.jsonl', seen)
  await write('report-seen.jsonl', ofAllKinds(seen, reported))
  await write('report-unseen.jsonl', ofAllKinds(others, reported))
  const wrong = seen.map(([stated]) => ({ prompt: textOf(stated), distractors: wrongFor(stated) }))
  writeFileAtomic(join(folder, 'distractors.jsonl'), wrong.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

// ---- DPOK -------------------------------------------------------------------------------------------------------------

const known = (singular: string) => [...objects, ...heldOut].find((noun) => noun.singular === singular)!

/** DPOK's names of its categories, and its prompt of each. */
const figure2: Readonly<Record<string, Made>> = {
  color: [{ noun: known('rabbit'), color: 'green' }, 'color'],
  composition: [{ noun: known('dog'), beside: known('cat') }, 'combination'],
  count: [{ noun: known('wolf'), count: 4, background: 'in the park' }, 'count'],
  location: [{ noun: known('dog'), background: 'on the moon' }, 'background'],
}
/** Of each category in `multi`: 104 prompts, as many as the paper's captions of MS-COCO. */
const perCategory = 26
const unseenPerCategory = 5

/** The same said of other things. @param place which one */
function alike([stated, kind]: Made, things: readonly Noun[], place: number): Made {
  const noun = things[place % things.length]
  const turn = Math.floor(place / things.length) + place
  const { color, count, background, beside } = stated
  return [
    {
      noun,
      ...(beside && { beside: things[(place + 1 + Math.floor(place / things.length)) % things.length] }),
      ...(color !== undefined && { color: colors[turn % colors.length] }),
      // Two and more, as in the paper's.
      ...(count !== undefined && { count: 2 + (turn % (counts.length - 1)), background }),
      ...(count === undefined && background !== undefined && { background: backgrounds[turn % backgrounds.length] }),
    },
    kind,
  ]
}

async function writeDpok(folder: string): Promise<void> {
  const write = (set: string, name: string, made: readonly (readonly [category: string, Made])[]) => {
    writing(join(folder, set), () => mkdirSync(join(folder, set), { recursive: true }))
    const prompts = made.map(([category, [stated, kind]], i) => promptOf(stated, kind, `${category}-${i + 1}`))
    return writePrompts(join(folder, set, `${name}.jsonl`), prompts)
  }
  const categories = Object.entries(figure2)
  const several = (things: readonly Noun[], count: number) =>
    categories.flatMap(([category, made]) =>
      Array.from({ length: count }, (_, place) => [category, alike(made, things, place)] as const),
    )
  const unseen = several(heldOut, unseenPerCategory)
  for (const [category, made] of categories) {
    await write(category, 'seen', [[category, made]])
    await write(category, 'unseen', unseen.filter(([of]) => of === category)) // prettier-ignore
  }
  await write('multi', 'seen', several(objects, perCategory))
  await write('multi', 'unseen', unseen)
}

const [paper, folder, ...sizes] = process.argv.slice(2)
const [count = Infinity, reported = 60] = sizes.map(Number)
const write = { dpok: writeDpok, lee: writeLee }[paper]
if (write === undefined || folder === undefined) {
  const error = new ConfigError({
    where: 'paper-prompts.ts',
    expected: 'dpok or lee, and a folder',
    received: process.argv.slice(2).join(' ') || 'nothing',
    remedy: 'node recipes/paper-prompts.ts dpok runs/prompts',
  })
  process.stderr.write(`${error.message}\n`)
  process.exit(2)
}
writing(folder, () => mkdirSync(folder, { recursive: true }))
await write(folder, count, reported)
