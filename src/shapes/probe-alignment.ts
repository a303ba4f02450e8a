/** Measures the sample images of a training by the judge, for people to look at. */
import { parsePrompt } from '../prompts/templates.ts'
import type { Probe } from '../policy/sample-images.ts'
import { isAligned, judgeImage } from './judge.ts'
import { shapesVocabulary } from './vocabulary.ts'

/** `alignment`: the share of pictures that show what their prompts state. Prompts of another form are left out. */
export const probeAlignment: Probe = (pictures, texts): Readonly<Record<string, number>> => {
  const aligned = pictures.flatMap(({ bytes }, i) => {
    const attributes = parsePrompt(texts[i], shapesVocabulary)
    return attributes === undefined ? [] : [isAligned(attributes, judgeImage(bytes))]
  })
  if (aligned.length === 0) return {}
  return { alignment: aligned.filter(Boolean).length / aligned.length }
}
