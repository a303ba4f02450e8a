/** The embedded world, without its networks. */
import type { PromptWorld } from '../prompts/prompt-world.ts'
import { seenPrompts, unseenPrompts } from './split.ts'
import { shapesVocabulary, tokenize } from './vocabulary.ts'

/** The embedded model by the noise process that it is seen through: diffusion, or flow matching. */
export const shapesNames = ['shapes', 'shapes-flow'] as const
export type ShapesName = (typeof shapesNames)[number]

export const shapesWorld: PromptWorld = {
  models: shapesNames,
  vocabulary: shapesVocabulary,
  seen: seenPrompts,
  unseen: unseenPrompts,
  expectReadable: tokenize,
}
