import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../errors.ts'
import { layerPattern } from './layer-pattern.ts'
import { parsePeftConfigs, scaleOf } from './peft-config.ts'

const matches = (source: string, name: string) => layerPattern(source, 'a.json').matches(name)

describe('patterns of layers', () => {
  it('match whole names, or their ends from a dot on, as PEFT has it', () => {
    for (const [source, name, expected] of [
      ['to_q', 'down_blocks.0.attn1.to_q', true],
      ['to_q', 'to_q', true],
      ['to_q', 'down_blocks.0.add_to_q', false],
      ['attn1.to_[qk]', 'down_blocks.0.attn1.to_k', true],
      ['^attn1.to_q', 'down_blocks.0.attn1.to_q', false],
      ['^down.*\\.to_q$', 'down_blocks.0.attn1.to_q', true],
      ['(to_q|to_k)$', 'attn1.to_k', true],
      ['down_blocks\\.\\d+\\.attn', 'down_blocks.12.attn', true],
      ['down_blocks\\.\\d+\\.attn', 'down_blocks.x.attn', false],
      ['.*', 'anything.at.all', true],
      ['[^.]+\\.weight', 'a.b.weight', true],
      ['layers.[0-9]{2}', 'encoder.layers.07', true],
      ['layers.[0-9]{2,3}', 'encoder.layers.7', false],
      ['(?:a|)b', 'b', true],
      ['a||b', '', true],
      ['', 'a', false],
      ['', 'a.', true],
      ['(a?){3}b', 'aab', true],
    ] as const) {
      assert.equal(matches(source, name), expected, `${source} on ${name}`)
    }
  })

  it('match what regular expressions match', () => {
    const atom = fc.constantFrom('a', 'b', '.', '\\.', '[ab]', '[^a]', '\\d', '1')
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        atom,
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{0,2}', '{2}'))
          .map(([a, sign]) => `(?:${a})${sign}`),
      ),
    }))
    const name = fc.array(fc.constantFrom('a', 'b', '.', '1'), { maxLength: 7 }).map((letters) => letters.join(''))
    fc.assert(
      fc.property(pattern, name, (source, given) => {
        const expected = new RegExp(`^(?:.*\\.)?(?:${source})$`).test(given)
        assert.equal(matches(source, given), expected)
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('of hostile files are read in no time, or refused', () => {
    const name = `${'down_blocks.0.attentions.0.transformer_blocks.'.repeat(4)}attn1.to_q`
    for (const source of [
      '([a-z_0-9.]+)+!',
      '(a*)*b',
      '(.*.*.*.*)*!',
      '((a|a)|(a|a))*!',
      '(.{0,9}){0,9}!',
      '(((){2000}){2000}){2000}!',
    ]) {
      assert.equal(matches(source, name), false)
      assert.equal(matches(source, 'a'.repeat(2000)), false)
    }
    for (const source of [
      '(',
      ')',
      'a)|(b',
      '[a',
      '*a',
      'a**',
      '(?=a)',
      '(?<n>a)',
      '(a)\\1',
      '\\bto_q',
      'a{3,1}',
      '(((a{90}){90}){90}){90}',
      'a{999999999999}',
      '[z-a]',
      'a'.repeat(1001),
      '\\',
    ]) {
      assert.throws(() => matches(source, name), FormatError, source)
    }
  })
})

describe('configurations of PEFT', () => {
  const config = (fields: object) => parsePeftConfigs('a.json', JSON.stringify(fields)).get('unet')!

  it('take the first of the patterns that match, names and expressions alike', () => {
    const own = config({ r: 4, alpha_pattern: { 'attn1.to_[qk]': 1, to_q: 2, '.*': 3 } })
    const alphas = ['a.attn1.to_q', 'a.attn2.to_q', 'a.attn2.to_v'].map((path) => scaleOf('a.json', own, path, 4) * 4)
    assert.deepEqual(alphas, [1, 2, 3])
  })

  it('are refused where their patterns would take long', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`(a{10}|b{10}){5}${i}`, 1]))
    assert.throws(() => config({ rank_pattern: many }), /expected regular expressions of 5000 states in all/)
    const names = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`down_blocks.${i}.to_q`, 2]))
    assert.equal(scaleOf('a.json', config({ r: 4, rank_pattern: names }), 'unet.down_blocks.999.to_q', 2), 4)
  })
})
