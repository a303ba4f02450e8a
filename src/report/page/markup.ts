/** Markup in which every value is escaped unless it is markup itself: a prompt may hold anything. */

/** Text that is already HTML or SVG; made only by {@link html}. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

export type MarkupValue = Markup | string | number | undefined | readonly MarkupValue[]

/** Tagged template: strings and numbers are escaped for text and for quoted attributes, lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  return new Markup(strings.map((part, i) => part + (i < values.length ? render(values[i]) : '')).join(''))
}

/** A part of a page that opens on a click. */
export const folded = (title: MarkupValue, body: Markup): Markup =>
  html`<details class="fold">
    <summary><h2>${title}</h2></summary>
    ${body}
  </details>`

function render(value: MarkupValue): string {
  if (value === undefined) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return escape(`${value}`)
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  // HTML allows no control characters but white space, not even as entities.
  return text.replace(/[&<>"']/g, (char) => entities[char]).replace(/[^\P{Cc}\t\n\r]/gu, '\ufffd')
}
