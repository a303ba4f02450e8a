/** `{red|blue} circle` says two prompts: a choice between braces, also one within another; `\{` is a brace. */

/** What stands beside each other: texts, and choices between such sequences. */
type Sequence = readonly (string | readonly Sequence[])[]

const deepest = 20

/** @returns undefined where braces are not closed, or lie too deep */
function sequenceOf(line: string): Sequence | undefined {
  let place = 0
  function readSequence(depth: number): Sequence | undefined {
    const parts: (string | readonly Sequence[])[] = []
    let text = ''
    for (; place < line.length; place++) {
      const sign = line[place]
      if (sign === '\\' && /[{}|\\]/.test(line[place + 1] ?? '')) text += line[++place]
      else if (depth > 0 && (sign === '|' || sign === '}')) break
      else if (sign === '}') return undefined
      else if (sign !== '{') text += sign
      else {
        if (depth === deepest) return undefined
        const choices: Sequence[] = []
        do {
          place++
          const choice = readSequence(depth + 1)
          if (choice === undefined) return undefined
          choices.push(choice)
        } while (line[place] === '|')
        if (line[place] !== '}') return undefined
        // Braces around one thing choose nothing: they are part of the text.
        parts.push(text)
        text = ''
        if (choices.length === 1) parts.push('{', ...choices[0], '}')
        else parts.push(choices)
      }
    }
    return [...parts, text]
  }
  return readSequence(0)
}

const countOf = (sequence: Sequence): number =>
  sequence.reduce<number>(
    (product, part) =>
      typeof part === 'string' ? product : product * part.reduce((sum, choice) => sum + countOf(choice), 0),
    1,
  )

function* textsOf(sequence: Sequence, from = 0): Generator<string> {
  if (from === sequence.length) return yield ''
  const part = sequence[from]
  if (typeof part === 'string') {
    for (const rest of textsOf(sequence, from + 1)) yield part + rest
    return
  }
  for (const choice of part) {
    for (const text of textsOf(choice)) for (const rest of textsOf(sequence, from + 1)) yield text + rest
  }
}

/** The prompts that a line says. */
export interface Alternatives {
  /** In their order, no more than were wanted. */
  readonly texts: readonly string[]
  /** All there are, which may be far more. */
  readonly count: number
  /** Braces that do not close: the line stands for itself. */
  readonly isBroken: boolean
}

export function alternativesOf(line: string, most: number): Alternatives {
  const sequence = /[{}\\]/.test(line) ? sequenceOf(line) : [line]
  if (sequence === undefined) return { texts: [line], count: 1, isBroken: true }
  const count = countOf(sequence)
  const texts: string[] = []
  for (const text of textsOf(sequence)) {
    if (texts.length >= most) break
    texts.push(count === 1 ? text : text.trim().replace(/\s+/g, ' '))
  }
  return { texts, count, isBroken: false }
}

/** A text that stands for itself, whatever braces it has. */
export const literally = (text: string): string =>
  /[{}]/.test(text) ? text.replace(/[\\{}|]/g, (sign) => `\\${sign}`) : text
