/** As people count: `round-2` before `round-10`. */
const collator = new Intl.Collator('en', { numeric: true })

export const naturalOrder = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
