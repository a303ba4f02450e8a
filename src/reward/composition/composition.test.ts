import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ConfigError } from '../../errors.ts'
import { compositionOf } from './composition.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-composition-'))
after(() => rmSync(folder, { recursive: true }))
const parts = (...given: readonly (readonly [string, number])[]) => given.map(([name, weight]) => ({ name, weight }))

describe('a composition of rewards', () => {
  it('is a sum of parts with weights', () => {
    const plain = { kind: 'sum', k: 0, parts: parts(['runs/a', 0.7], ['b', 0.3]) }
    assert.deepEqual(compositionOf('runs/a=0.7,b=0.3'), plain)
    assert.deepEqual(compositionOf(' "runs/a" = .7 , b=3e-1 '), plain)
    assert.deepEqual(compositionOf('a=-1,b=+2')?.parts, parts(['a', -1], ['b', 2]))
    assert.deepEqual(compositionOf('http://127.0.0.1:8000/score=1,b=1')?.parts[0].name, 'http://127.0.0.1:8000/score')
  })

  it('is the least, the product or a lower bound of parts', () => {
    assert.deepEqual(compositionOf('min(a,b)'), { kind: 'min', k: 0, parts: parts(['a', 1], ['b', 1]) })
    assert.deepEqual(compositionOf('product( a , owner/name )')?.parts, parts(['a', 1], ['owner/name', 1]))
    const lower = { kind: 'lower', parts: parts(['a', 1], ['b', 1], ['c', 1]) }
    assert.deepEqual(compositionOf('lower(a,b,c)'), { ...lower, k: 1 })
    assert.deepEqual(compositionOf('lower(a; k=2)'), { kind: 'lower', k: 2, parts: parts(['a', 1]) })
    for (const name of ['lower(a,b,c; k=0.5)', 'lower(a,b,c;k = .5 )', 'lower(a,b,c,k=0.5)']) {
      assert.deepEqual(compositionOf(name), { ...lower, k: 0.5 })
    }
  })

  it('takes names with its own signs in quotes', () => {
    assert.deepEqual(compositionOf('"a,b=1"=2,"min(x)"=1')?.parts, parts(['a,b=1', 2], ['min(x)', 1]))
    assert.deepEqual(compositionOf('min("a,b", c)')?.parts, parts(['a,b', 1], ['c', 1]))
  })

  it('is nothing that lies on the disk, and no name of one reward', () => {
    const odd = join(folder, 'a=0.7,b=0.3')
    mkdirSync(odd)
    assert.equal(compositionOf(odd), undefined)
    for (const name of ['runs/a', 'redness', 'http://127.0.0.1/score', 'a,b', '"a=b"', 'minimum(a)']) {
      assert.equal(compositionOf(name), undefined, name)
    }
  })

  it('is refused with what is wrong', () => {
    for (const [name, received] of [
      ['a=0.7', /one: name it alone/],
      ['a=0.7,b', /b without one/],
      ['a=0.7,b=', /a weight other than 0 behind b, received nothing/],
      ['a=0.7,b=0', /behind b, received 0/],
      ['a=0.7,b=x', /behind b, received x/],
      ['a=0.7,b=1e999', /received 1e999/],
      ['a=0.7,b=0x1', /received 0x1/],
      ['a=0.7,a=0.3', /a twice/],
      ['=0.7,a=0.3', /the name of a reward, received nothing/],
      ['a=0.7,,b=1', / without one/],
      ['a=b=0.7,c=1', /received a=b — put a path/],
      ['min(a)', /name it alone/],
      ['min()', /the name of a reward/],
      ['min(a,b;k=1)', /rewards alone in min\(a,b\), received k=1/],
      ['min(a=1,b=2)', /without weights in min\(…\), received a=1/],
      ['lower(a,b;k=-1)', /k of 0 or more/],
      ['lower(a,b;x=1)', /received x=1/],
      ['lower(a,b;k=1;k=2)', /received k=1;k=2/],
      ['lower(a,b;)', /received nothing/],
      ['min(a,max(b,c))', /max\(b — put a path/],
      ['min(min(a,b),c)', /composed-reward.json/],
      ['"a=0.7,b=0.3"x=1,c=2', /received "a=0.7,b=0.3"x/],
      ['a=1,"b=1', /a quote at both ends/],
      [Array.from({ length: 17 }, (_, i) => `a${i}=1`).join(), /at most 16 rewards, received 17/],
    ] as const) {
      assert.throws(
        () => compositionOf(name),
        (error: Error) =>
          error instanceof ConfigError && received.test(error.message) && error.where === `--reward ${name}`,
        name,
      )
    }
  })
})
