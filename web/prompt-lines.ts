/** What stands in a box of prompts, one a line. */
export interface PromptLines {
  readonly texts: readonly string[]
  /** Lines that stood there before: each prompt is drawn once. */
  readonly repeated: number
}

export function promptLines(text: string): PromptLines {
  const lines = text.split(/\r\n|\r|\n/).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
  const texts = [...new Set(lines)]
  return { texts, repeated: lines.length - texts.length }
}
