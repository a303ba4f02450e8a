import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mark } from './chart.ts'
import { colours, looksOf, policyTitle } from './policy-look.ts'
import { backgrounds } from './style.ts'

/** Of WCAG 2, from sRGB. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((from) => parseInt(hex.slice(from, from + 2), 16) / 255)
    .map((level) => (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

test('every colour stands out from its backgrounds, 3 to 1 or more, in light and in dark', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  for (const scheme of ['light', 'dark'] as const) {
    for (const colour of colours) {
      for (const background of backgrounds[scheme]) {
        const found = contrast(colour[scheme], background)
        assert.ok(found >= 3, `${colour.className} on ${scheme} ${background}: ${found.toFixed(2)}`)
      }
    }
  }
})

test('no two of twelve policies look alike', () => {
  const policies = ['base', 'best-of-n', ...Array.from({ length: 10 }, (_, i) => `p${i}`)].map((name) => ({ name }))
  const looks = looksOf({ policies } as Parameters<typeof looksOf>[0])
  const seen = policies.map(({ name }) => String(mark(looks(name), 0, 0)))
  assert.equal(new Set(seen).size, 12)
  assert.equal(new Set(policies.slice(0, 10).map(({ name }) => looks(name).className)).size, 10)
})

test('a name that is an algorithm’s has its title; others stand as they were given', () => {
  const titles = [
    { name: 'base' },
    { name: 'best-of-n', bestOf: 8 },
    { name: 'best-of-n' },
    { name: 'dpok' },
    { name: 'kl-01' },
  ]
  assert.deepEqual(titles.map(policyTitle), ['Base', 'Best-of-8', 'Best-of-n', 'DPOK', 'kl-01'])
})
