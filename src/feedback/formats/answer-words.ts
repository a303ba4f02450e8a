/** Words and numbers that people and tools write for good, bad and skip. */

const words: Readonly<Record<string, 'good' | 'bad' | 'skip'>> = {
  good: 'good',
  yes: 'good',
  true: 'good',
  bad: 'bad',
  no: 'bad',
  false: 'bad',
  skip: 'skip',
  '': 'skip',
}

/** Undefined of any other word. 1 is good and 0 bad, however many noughts a table puts behind its comma. */
export function answerOf(word: string): 'good' | 'bad' | 'skip' | undefined {
  const plain = word.trim().toLowerCase()
  const [, digit] = /^([01])(?:[.,]0*)?$/.exec(plain) ?? []
  if (digit !== undefined) return digit === '1' ? 'good' : 'bad'
  return Object.hasOwn(words, plain) ? words[plain] : undefined
}
