/** What the studio knows of the world of its model, where that has one. */
import type { PromptWorld } from '../prompts/prompt-world.ts'
import { shapesWorld } from '../shapes/world.ts'

const worlds: readonly PromptWorld[] = [shapesWorld]

export const worldOf = (model: string): PromptWorld | undefined => worlds.find(({ models }) => models.includes(model))

/** Whether the model knows all words: images from elsewhere may have any prompt. */
export function isReadable(text: string, world: PromptWorld | undefined): boolean {
  try {
    world?.expectReadable(text)
    return true
  } catch {
    return false
  }
}
