/** What stands in a box of prompts, one a line, each of which may choose between `{this|that}`. */
import { alternativesOf, literally } from './alternatives.ts'

interface PromptLines {
  /** Each once; no more than {@link mostMade} of choices. */
  readonly texts: readonly string[]
  /** Lines that stood there before: each prompt is drawn once. */
  readonly repeated: number
  /** Lines with choices, and the prompts that they say. */
  readonly choosing: { readonly lines: number; readonly prompts: number }
  /** Lines whose braces do not close. */
  readonly broken: readonly string[]
}

/** More than a round takes, so that it is plain that it is too many. */
const mostMade = 2000

export function promptLines(text: string): PromptLines {
  const lines = text.split(/\r\n|\r|\n/).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  const distinct = [...new Set(lines)]
  const found = distinct.map((line) => ({ line, ...alternativesOf(line, mostMade) }))
  const choosing = found.filter(({ count }) => count > 1)
  const texts = new Set<string>()
  for (const { texts: made, count } of found) {
    for (const one of made) if (one !== '' && (count === 1 || texts.size < mostMade)) texts.add(one)
  }
  return {
    texts: [...texts],
    repeated: lines.length - distinct.length,
    choosing: { lines: choosing.length, prompts: choosing.reduce((sum, { count }) => sum + count, 0) },
    broken: found.flatMap(({ line, isBroken }) => (isBroken ? [line] : [])),
  }
}

/** The lines of a box, and prompts of a file below them, each on one line and as it is. */
export function withPrompts(text: string, prompts: readonly string[]): string {
  const added = prompts.map((prompt) => literally(prompt.replace(/\s*[\r\n]\s*/g, ' ')))
  return [...(text.trim() === '' ? [] : [text.trimEnd()]), ...added].join('\n')
}
