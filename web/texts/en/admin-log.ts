/** What admins did. */
export const adminLog = {
  downloadAll: 'Download all',
  about: 'Every change, in person or by a key, with how it was before and after. Nobody can change this list.',
  nothing: 'Nothing was changed yet.',
  byKey: 'by the key',
  refused: (why: string) => `refused: ${why}`,
  /** What was done, by the words of the server, which English shows as they are. */
  acts: {} as Readonly<Record<string, string>>,
}
