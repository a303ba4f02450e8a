/** What went wrong: of the page, and by the codes of the server. */
interface Sentences {
  readonly what: string
  readonly then: string
}

export const errors = {
  tryAgain: 'Try again',
  noAnswer: 'The studio does not answer',
  stillRunning: 'Is it still running? This page tries again by itself.',
  pageFailed: 'The page has made a mistake',
  expected: (expected: string, received: string) => `Expected ${expected}; received ${received}.`,
  /** The server's own words are English: another language says what its codes mean, and keeps them below. */
  byCode: {} as Readonly<Record<string, Sentences>>,
  inEnglish: 'In the words of the studio',
}
