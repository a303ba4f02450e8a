/** Prompts of a file that a model can read: checked before any work is done with them. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { VocabularyError } from '../errors.ts'
import { readPrompts } from '../prompts/prompt-file.ts'
import type { Prompt } from '../records.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { OpenModel } from './open-model.ts'

/**
 * Reads a prompt file and shows every prompt to the model's text encoder.
 *
 * @throws {VocabularyError} names file and line of a prompt with words that the model does not know
 * @throws {FileError | FormatError} see `readPrompts`
 */
export async function readKnownPrompts(file: string, { model, vocabulary }: OpenModel): Promise<Prompt[]> {
  const prompts = await readPrompts(file, vocabulary)
  using _scope = tensorScope()
  using _noGrad = noGrad()
  for (const { text } of prompts) {
    try {
      model.encodeText([text])
    } catch (error) {
      if (!(error instanceof VocabularyError)) throw error
      const { where, expected, received, remedy } = error
      const line = await lineOf(file, text)
      throw new VocabularyError({ where: `${basename(file)}:${line} ${where}`, expected, received, remedy })
    }
  }
  return prompts
}

async function lineOf(file: string, text: string): Promise<number> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/)
  return 1 + lines.findIndex((line) => line.trim() === text || line.includes(JSON.stringify(text)))
}
