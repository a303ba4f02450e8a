/** What languages differ in beside their words: numbers, plurals, lists and times. */
export const languages = ['en', 'de'] as const
export type Language = (typeof languages)[number]

/** By the plural forms that English and German have. */
interface Forms {
  readonly one: string
  readonly other: string
}

export interface Speech {
  readonly language: Language
  /** Three figures: `0.914`, `18.4`, `1536`, `20,000`. */
  readonly figure: (value: number) => string
  /** With so many decimals: `0.70`. */
  readonly fixed: (value: number, digits: number) => string
  /** `82 %` */
  readonly percent: (share: number, digits?: number) => string
  /** `1 answer`, `12 answers` */
  readonly counted: (count: number, forms: Forms) => string
  /** The form alone: `answer`, `answers`. */
  readonly form: (count: number, forms: Forms) => string
  /** `a, b and c` */
  readonly listed: (parts: readonly string[]) => string
  /** `now`, `12 min ago`, `3 hr ago`, `14 Nov, 09:30` */
  readonly ago: (at: string, now?: Date) => string
  /** `14 Nov 2026, 09:30` */
  readonly moment: (at: string) => string
}

function speechOf(language: Language): Speech {
  // British English counts days before months and hours to 24, as German does.
  const locale = { en: 'en-GB', de: 'de-DE' }[language]
  const rules = new Intl.PluralRules(locale)
  const [whole, grouped] = [false, true].map((useGrouping) => new Intl.NumberFormat(locale, { useGrouping }))
  const decimal = grouped.formatToParts(0.5).find(({ type }) => type === 'decimal')!.value
  const list = new Intl.ListFormat(locale, { type: 'conjunction' })
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'short', numeric: 'auto' })
  const clock = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const
  const [day, year] = [clock, { ...clock, year: 'numeric' } as const].map(
    (parts) => new Intl.DateTimeFormat(locale, parts),
  )
  const written = (text: string) => text.replace('.', decimal).replace('-', '−')
  const form = (count: number, forms: Forms) => (rules.select(count) === 'one' ? forms.one : forms.other)

  function figure(value: number): string {
    if (!Number.isFinite(value)) return String(value)
    if (Number.isInteger(value)) return (Math.abs(value) >= 10_000 ? grouped : whole).format(value).replace('-', '−')
    const size = Math.abs(value)
    return written(size >= 1000 ? value.toFixed(0) : size < 0.001 ? value.toExponential(1) : value.toPrecision(3))
  }

  return {
    language,
    figure,
    fixed: (value, digits) => written(value.toFixed(digits)),
    percent: (share, digits = 0) => `${written((100 * share).toFixed(digits))} %`,
    counted: (count, forms) => `${figure(count)} ${form(count, forms)}`,
    form,
    listed: (parts) => list.format(parts),
    ago(at, now = new Date()) {
      const minutes = Math.max(0, Math.round((now.getTime() - new Date(at).getTime()) / 60_000))
      if (minutes < 1) return relative.format(0, 'second')
      if (minutes < 60) return relative.format(-minutes, 'minute')
      if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), 'hour')
      return day.format(new Date(at))
    },
    moment: (at) => year.format(new Date(at)),
  }
}

export const english = speechOf('en')
export const german = speechOf('de')
