/** Which of the two images of a task was on the left. */

/** An image of a task and what results call it. */
export interface TaskImage {
  readonly name: string
  readonly path: string
}

/**
 * The two images, left before right: as the question names them, else by the words left and right in the names of their
 * fields, else in the order of the fields.
 *
 * @param shown  the two images of the task, in the order of its fields
 * @param asked  names of fields, left before right, where the question or the labelling configuration states them
 * @returns      undefined where it is not certain: words that contradict each other, or names that contradict the order
 */
export function sidesOf(shown: readonly TaskImage[], asked: readonly string[]): readonly TaskImage[] | undefined {
  const [one, other] = shown
  const isAsked = asked.length === 2 && shown.every(({ name }) => asked.includes(name))
  if (isAsked) return one.name === asked[0] ? [one, other] : [other, one]
  const [first, second] = shown.map(({ name }) => sideIn(name))
  if (first !== undefined || second !== undefined) {
    if (first === second || first === 'both' || second === 'both') return undefined
    return first === 'left' || second === 'right' ? [one, other] : [other, one]
  }
  const [before, after] = shown.map(({ name }) => placeIn(name))
  const names = shown.map(({ name }) => name.toLowerCase())
  const isTurned =
    (before !== undefined && after !== undefined && before > after) ||
    (names[0].includes('right') && names[0].replace('right', 'left') === names[1])
  return isTurned ? undefined : [one, other]
}

/** `imageLeft`, `left_image` and `LEFT` are words, `bright` is none. */
const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)

function sideIn(name: string): 'left' | 'right' | 'both' | undefined {
  const words = wordsOf(name)
  const [left, right] = [words.includes('left'), words.includes('right')]
  return left && right ? 'both' : left ? 'left' : right ? 'right' : undefined
}

/** Where a name says that its image comes: by a number at its end, or by a word for one. */
function placeIn(name: string): number | undefined {
  const [, digits] = /(\d+)\D*$/.exec(name) ?? []
  if (digits !== undefined) return Number(digits)
  const words = wordsOf(name)
  const place = [
    ['first', 'one', 'a'],
    ['second', 'two', 'b'],
  ].findIndex((of) => of.some((word) => words.includes(word)))
  return place === -1 ? undefined : place + 1
}
