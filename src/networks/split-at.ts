/** Ids of a text in which some tokens stand for themselves; what is between them goes to `rest`. */
export function splitAt(
  tokens: ReadonlyMap<string, number>,
  rest: (text: string) => readonly number[],
): (text: string) => number[] {
  // No regular expression: it would try all tokens at each place, and there may be thousands.
  const lengths = new Map<string, number[]>()
  for (const { length, 0: first } of [...tokens.keys()].sort((a, b) => b.length - a.length)) {
    const own = lengths.get(first) ?? []
    if (own.at(-1) !== length) own.push(length)
    lengths.set(first, own)
  }
  return (text) => {
    const ids: number[] = []
    let from = 0
    for (let at = 0; at < text.length;) {
      const length = lengths.get(text[at])?.find((one) => tokens.has(text.slice(at, at + one)))
      if (length === undefined) {
        at++
        continue
      }
      ids.push(...rest(text.slice(from, at)), tokens.get(text.slice(at, at + length))!)
      from = at += length
    }
    return [...ids, ...rest(text.slice(from))]
  }
}
