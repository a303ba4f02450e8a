/** What training shows for each prompt: its wordings, and prompts that are wrong for its good images. */
import { distractors } from '../../prompts/distractors.ts'
import { generalWords } from '../../prompts/general-words.ts'
import { parsePrompt, promptText, templateCount } from '../../prompts/templates.ts'
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import { random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'

/** The texts that a reward is shown with an image: wordings of its prompt, and wrong prompts. */
export interface ShownTexts {
  /** By prompt, at least one each. */
  readonly wordings: ReadonlyMap<string, readonly string[]>
  /** By prompt, possibly none. */
  readonly distractors: ReadonlyMap<string, readonly string[]>
}

/** Where distractors come from. */
export interface DistractorSource {
  /** Words of the model's prompts; without it, colours and numbers of plain English are changed. */
  readonly vocabulary?: PromptVocabulary | undefined
  /** By prompt, in place of those that are made. */
  readonly given?: ReadonlyMap<string, readonly string[]> | undefined
}

/** How many different distractors are made for a wording of a prompt. */
const distractorPool = 24

/** For the prompts of these labels: a function of the prompts, their order and the seed. */
export function shownTexts(
  labels: readonly { readonly text: string }[],
  seed: number,
  { vocabulary, given }: DistractorSource = {},
): ShownTexts {
  const distinct = [...new Set(labels.map(({ text }) => text))]
  const worded = distinct.map((text) => wordings(text, vocabulary))
  const wrong = distinct.map((text, i) => {
    const made = (wording: string) =>
      distractors(
        { text: wording },
        vocabulary ?? generalWords(wording),
        distractorPool,
        random(...rewardStreams.distractors(seed, i)),
      )
    return given?.get(text) ?? worded[i].flatMap(made)
  })
  const byPrompt = (lists: readonly (readonly string[])[]) => new Map(distinct.map((text, i) => [text, lists[i]]))
  return { wordings: byPrompt(worded), distractors: byPrompt(wrong) }
}

/** All texts that may be shown. */
export function textsIn({ wordings, distractors }: ShownTexts): string[] {
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
