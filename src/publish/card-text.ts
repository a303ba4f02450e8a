/** Texts and figures as a model card writes them: neither can leave its place in Markdown, YAML or a command. */

/** A figure with its 95 % interval. */
export interface Ends {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** One line of Markdown in which nothing is markup. */
export function plain(text: string): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\s\u2028\u2029]+/gu, ' ')
    .trim()
  return line.replaceAll(/[\\`*_{}[\]<>#|!~$]/g, (sign) => `\\${sign}`).replaceAll('&', '&amp;')
}

/** Between backticks, which it cannot leave. */
export const code = (text: string) =>
  `\`${text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s\u2028\u2029]+/gu, ' ')
    .replaceAll('`', '’')}\``
export const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.replaceAll('```', '’’’')}\n\`\`\``
/** A text of YAML and of Python: a string of JSON is one of both. */
export const quoted = (text: string) => JSON.stringify(text.toWellFormed().replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' '))
export const shellWord = (text: string) => (/^[\w./@-]+$/.test(text) ? text : `'${text.replaceAll(/['\p{Cc}]/gu, '')}'`)

export const figure = (value: number) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)))
export const signed = (value: number) => `${value > 0 ? '+' : ''}${figure(value)}`
export const interval = ({ mean, low, high }: Ends) => `${figure(mean)} (${figure(low)} to ${figure(high)})`
export const within = (value: number, ends: readonly [number, number] | null) =>
  ends === null ? figure(value) : interval({ mean: value, low: ends[0], high: ends[1] })
export const counted = (count: number, noun: string) =>
  `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`
export const size = (bytes: number) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} seconds`
  if (seconds < 5400) return `${Math.round(seconds / 60)} minutes`
  return `${(seconds / 3600).toFixed(1)} hours`
}
