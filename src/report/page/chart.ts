/**
 * The parts of the page's charts, as SVG strings. Written here rather than drawn by a charting library because each
 * chart must follow the reader's colour scheme through CSS variables, stay readable at 360 px, and carry a text
 * alternative, with no script on the page; a library's static SVG has its colours and its size fixed.
 */
import { html, type Markup, type MarkupValue } from './markup.ts'
import type { PolicyName } from '../policy-name.ts'
import type { Looks, PolicyLook } from './policy-look.ts'

/** Where the axes lie, in the units of the chart's own coordinate system. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The same width everywhere, so that text has one size; a phone shows it nearly 1 : 1. */
export const frame = (height: number, margins: Partial<Frame> = {}): Frame => ({
  width: 400,
  height,
  left: 46,
  right: 14,
  top: 12,
  bottom: 44,
  ...margins,
})

/** A linear map from values to coordinates, with round ticks inside its domain. */
export interface Scale {
  (value: number): number
  readonly ticks: readonly number[]
}

export function scale([from, to]: readonly [number, number], [start, end]: readonly [number, number]): Scale {
  const span = to === from ? 1 : to - from
  return Object.assign((value: number) => start + ((value - from) / span) * (end - start), { ticks: ticks(from, to) })
}

/** About five round numbers within [low, high]: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, wanted = 5): number[] {
  const [from, to] = low <= high ? [low, high] : [high, low]
  if (from === to) return [from]
  const rough = (to - from) / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.99) ?? 10)
  const count = Math.floor((to - from) / step + 1e-9) + 2
  const first = Math.ceil(from / step - 1e-9)
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12))).filter(
    (tick) => tick <= to + step * 1e-9,
  )
}

/** The values' range with a margin of `pad` on both sides, kept within `within`. */
export function domain(values: readonly number[], pad = 0.06, within = [-Infinity, Infinity]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const margin = (high - low || Math.abs(high) || 1) * pad
  return [Math.max(within[0], low - margin), Math.min(within[1], high + margin)]
}

/** `title` is what a screen reader says; it carries the chart's message, not its looks. */
export function svg({ width, height }: Frame, title: string, ...content: readonly MarkupValue[]): Markup {
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${content}</svg>`
}

export function xAxis(at: Frame, x: Scale, label: string, write: (tick: number) => string): Markup {
  const y = at.height - at.bottom
  const middle = (at.left + at.width - at.right) / 2
  return html`<g class="axis"
    >${x.ticks.map(
      (tick) =>
        html`<line class="grid" x1="${f(x(tick))}" x2="${f(x(tick))}" y1="${at.top}" y2="${y}" /><text
            x="${f(x(tick))}"
            y="${y + 16}"
            text-anchor="middle"
            >${write(tick)}</text
          >`,
    )}<line class="rule" x1="${at.left}" x2="${at.width - at.right}" y1="${y}" y2="${y}" /><text
      class="label"
      x="${f(middle)}"
      y="${y + 35}"
      text-anchor="middle"
      >${label}</text
    ></g
  >`
}

/** The label of a vertical axis stands above the chart, where it can be read without turning one's head. */
export function yAxis(at: Frame, y: Scale, label: string, write: (tick: number) => string): Markup {
  return html`<g class="axis"
    >${y.ticks.map(
      (tick) =>
        html`<line
            class="grid"
            x1="${at.left}"
            x2="${at.width - at.right}"
            y1="${f(y(tick))}"
            y2="${f(y(tick))}"
          /><text x="${at.left - 7}" y="${f(y(tick) + 4)}" text-anchor="end">${write(tick)}</text>`,
    )}<text class="label" x="4" y="${at.top - 12}">${label}</text></g
  >`
}

/** Shape as well as colour tells the policies apart. */
export function mark({ className, shape }: Omit<PolicyLook, 'title'>, x: number, y: number, size = 5): Markup {
  switch (shape) {
    case 'circle':
      return html`<circle class="mark ${className}" cx="${f(x)}" cy="${f(y)}" r="${size}" />`
    case 'square':
      return html`<rect
        class="mark ${className}"
        x="${f(x - size * 0.9)}"
        y="${f(y - size * 0.9)}"
        width="${f(size * 1.8)}"
        height="${f(size * 1.8)}"
      />`
    default: {
      const corners = outlines[shape].map(([across, down]) => `${f(x + size * across)} ${f(y + size * down)}`)
      return html`<path class="mark ${className}" d="M${corners.join('L')}Z" />`
    }
  }
}

type Outline = readonly (readonly [across: number, down: number])[]

/** Corners on circles around the middle, the first one on top; a star's lie on two circles in turn. */
const ring = (count: number, ...radii: readonly number[]): Outline =>
  Array.from({ length: count }, (_, i) => {
    const [angle, radius] = [(2 * Math.PI * i) / count, radii[i % radii.length]]
    return [radius * Math.sin(angle), -radius * Math.cos(angle)]
  })
const triangle: Outline = [
  [0, -1.15],
  [1.15, 0.98],
  [-1.15, 0.98],
]
/** In units of the size of a mark. */
const outlines: Record<Exclude<PolicyLook['shape'], 'circle' | 'square'>, Outline> = {
  triangle,
  diamond: ring(4, 1.32),
  'triangle down': triangle.map(([across, down]) => [across, -down]),
  pentagon: ring(5, 1.15),
  star: ring(10, 1.4, 0.62),
  hexagon: ring(6, 1.15),
  cross: ring(8, 1.35, 0.45).map(([across, down]) => [(across + down) * Math.SQRT1_2, (down - across) * Math.SQRT1_2]),
}

export function whisker(
  { className }: Pick<PolicyLook, 'className'>,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): Markup {
  return html`<line class="whisker ${className}" x1="${f(x1)}" y1="${f(y1)}" x2="${f(x2)}" y2="${f(y2)}" />`
}

export function legend(policies: readonly { readonly name: PolicyName }[], looks: Looks): Markup {
  return html`<ul class="legend">
    ${policies.map(({ name }) => {
      const look = looks(name)
      return html`<li>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${mark(look, 8, 8)}</svg>${look.title}
      </li>`
    })}
  </ul>`
}

/** Coordinates to a tenth of a unit: finer than a pixel, and the page stays small. */
export const f = (coordinate: number): number => Math.round(coordinate * 10) / 10
