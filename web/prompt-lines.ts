/** What stands in a box of prompts, one a line. */
interface PromptLines {
  readonly texts: readonly string[]
  /** Lines that stood there before: each prompt is drawn once. */
  readonly repeated: number
}

export function promptLines(text: string): PromptLines {
  const lines = text.split(/\r\n|\r|\n/).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  const texts = [...new Set(lines)]
  return { texts, repeated: lines.length - texts.length }
}

/** The lines of a box, and prompts of a file below them, each on one line. */
export function withPrompts(text: string, prompts: readonly string[]): string {
  const added = prompts.map((prompt) => prompt.replace(/\s*[\r\n]\s*/g, ' '))
  return [...(text.trim() === '' ? [] : [text.trimEnd()]), ...added].join('\n')
}
