/** What training shows for each prompt: its wordings, and prompts that are wrong for its good images. */
import { distractors } from '../../prompts/distractors.ts'
import { generalWords } from '../../prompts/general-words.ts'
import { parsePrompt, promptText, templateCount } from '../../prompts/templates.ts'
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import { random, type Random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { changesAny, type MisreadWords } from './misread-words.ts'

/** The texts that a reward is shown with an image: wordings of its prompt, and wrong prompts. */
export interface ShownTexts {
  /** By prompt, at least one each. */
  readonly wordings: ReadonlyMap<string, readonly string[]>
  /** By prompt, possibly none. */
  readonly distractors: ReadonlyMap<string, readonly string[]>
  /** By prompt, where there are any: those of its distractors that change a word which raters marked as misread. */
  readonly telling: ReadonlyMap<string, ReadonlySet<string>>
}

/** Where distractors come from. */
export interface DistractorSource {
  /** Words of the model's prompts; without it, colours and numbers of plain English are changed. */
  readonly vocabulary?: PromptVocabulary | undefined
  /** By prompt, in place of those that are made. */
  readonly given?: ReadonlyMap<string, readonly string[]> | undefined
  readonly misread?: MisreadWords | undefined
}

/** How many different distractors are made for a wording of a prompt. */
const distractorPool = 24

/** For the prompts of these labels: a function of the prompts, their order and the seed. */
export function shownTexts(
  labels: readonly { readonly text: string }[],
  seed: number,
  { vocabulary, given, misread }: DistractorSource = {},
): ShownTexts {
  const distinct = [...new Set(labels.map(({ text }) => text))]
  const worded = distinct.map((text) => wordings(text, vocabulary))
  const wrong = distinct.map((text, i) => {
    const made = (wording: string) => {
      const stream = random(...rewardStreams.distractors(seed, i))
      const texts = distractors({ text: wording }, vocabulary ?? generalWords(wording), distractorPool, stream)
      return texts.map((one) => ({ right: wording, wrong: one }))
    }
    return given?.get(text)?.map((one) => ({ right: text, wrong: one })) ?? worded[i].flatMap(made)
  })
  const telling = distinct.flatMap((text, i): [string, ReadonlySet<string>][] => {
    const words = misread?.get(text)
    if (words === undefined) return []
    const changing = wrong[i].filter((one) => changesAny(words, one.right, one.wrong, vocabulary))
    return changing.length === 0 ? [] : [[text, new Set(changing.map((one) => one.wrong))]]
  })
  const byPrompt = (lists: readonly (readonly string[])[]) => new Map(distinct.map((text, i) => [text, lists[i]]))
  return {
    wordings: byPrompt(worded),
    distractors: byPrompt(wrong.map((all) => all.map((one) => one.wrong))),
    telling: new Map(telling),
  }
}

/** How much likelier than another distractor one is drawn that changes a misread word. */
export const tellingWeight = 4

/**
 * Draws wrong prompts for a good image, each once: all alike likely, but those that change a misread word are drawn with
 * {@link tellingWeight} times the weight of others, one after the other without putting back. Those with the largest
 * u^(1/weight) are a draw of that kind (Efraimidis and Spirakis 2006).
 *
 * @returns `most` of them, or all that there are
 */
export function drawDistractors(
  { distractors, telling }: ShownTexts,
  text: string,
  most: number,
  stream: Random,
): string[] {
  const wrong = distractors.get(text) ?? []
  const changing = telling.get(text)
  if (changing === undefined) return stream.shuffle(wrong).slice(0, most)
  const keyed = wrong.map((one) => ({ one, key: stream.uniform() ** (1 / (changing.has(one) ? tellingWeight : 1)) }))
  return keyed
    .sort((a, b) => b.key - a.key)
    .slice(0, most)
    .map(({ one }) => one)
}

/** All texts that may be shown. */
export function textsIn({ wordings, distractors }: Pick<ShownTexts, 'wordings' | 'distractors'>): string[] {
  return [...wordings.values(), ...distractors.values()].flat()
}

/** All wordings of a prompt; only its own where no vocabulary parses it. */
export function wordings(text: string, vocabulary: PromptVocabulary | undefined): string[] {
  const attributes = vocabulary === undefined ? undefined : parsePrompt(text, vocabulary)
  if (vocabulary === undefined || attributes === undefined) return [text]
  return [
    ...new Set(Array.from({ length: templateCount }, (_, template) => promptText(attributes, vocabulary, template))),
  ]
}
