import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { html, Markup } from './markup.ts'

test('values are escaped, markup and lists of markup are not', () => {
  assert.equal(
    html`<p title="${'"'}">${'<b>'} ${[1, html`<i>${'&'}</i>`]}${undefined}</p>`.text,
    '<p title="&quot;">&lt;b&gt; 1<i>&amp;</i></p>',
  )
  assert.equal(html`${new Markup('<hr/>')}`.text, '<hr/>')
})

test('no string can open a tag, an entity or leave an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { text: escaped } = html`${text}`
      assert.ok(!/[<>"']|&(?!(amp|lt|gt|quot|#39);)/.test(escaped))
      assert.ok(!escaped.includes('\u0000'))
    }),
  )
})
