import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePrompt } from '../prompts/templates.ts'
import { random } from '../random.ts'
import { captionFaults, captionNoise, colorShare, drawPair, novelPairs, occurs } from './captions.ts'
import { sceneAttributes } from './scene.ts'
import { shapesVocabulary, tokenize } from './vocabulary.ts'

const pairs = Array.from({ length: 8000 }, (_, index) => {
  const { scene, caption } = drawPair(random(11, index))
  return { truth: sceneAttributes(scene), caption, stated: parsePrompt(caption, shapesVocabulary) }
})

test('captions are of the templates and the vocabulary', () => {
  for (const { caption, stated } of pairs) {
    assert.notEqual(stated, undefined, caption)
    tokenize(caption)
  }
})

test('attributes are dropped and wrong at the stated rates', () => {
  for (const name of ['color', 'background', 'count', 'object'] as const) {
    const dropped = pairs.filter(({ stated }) => stated?.[name] === undefined).length / pairs.length
    const wrong =
      pairs.filter(({ stated, truth }) => stated?.[name] !== undefined && stated[name] !== truth[name]).length /
      pairs.length
    assert(Math.abs(dropped - captionNoise[name].dropped) < 0.02, `${name} dropped ${dropped}`)
    assert(Math.abs(wrong - captionNoise[name].wrong) < 0.02, `${name} wrong ${wrong}`)
  }
})

test('wrong counts are mostly off by one', () => {
  const errors = pairs.flatMap(({ stated, truth }) =>
    stated?.count === undefined || stated.count === truth.count ? [] : [Math.abs(stated.count - truth.count)],
  )
  assert(errors.filter((error) => error === 1).length > 0.8 * errors.length)
})

test('novel pairs neither occur nor are stated', () => {
  for (const { truth, stated } of pairs) {
    assert(occurs(truth.color, truth.background))
    if (stated?.color !== undefined && stated.background !== undefined) {
      assert(occurs(stated.color, stated.background), `${stated.color} on ${stated.background}`)
    }
  }
})

test('how often captions of a wording come and are wrong is what is drawn', () => {
  const wordings = [
    { object: 'circle' },
    { object: 'cross', count: 3 },
    { object: 'triangle', color: 'green' },
    { object: 'ring', background: 'white' },
    { object: 'circle', color: 'red', count: 2 },
  ]
  for (const wording of wordings) {
    const key = JSON.stringify(Object.entries(wording).sort())
    const drawn = pairs.filter(({ stated }) => JSON.stringify(Object.entries(stated!).sort()) === key)
    const wrong = drawn.filter(({ truth }) =>
      Object.entries(wording).some(([name, value]) => truth[name as keyof typeof truth] !== value),
    )
    const { share, wrong: rate } = captionFaults(wording)!
    const error = (chance: number, n: number) => 4 * Math.sqrt((chance * (1 - chance)) / n)
    assert(Math.abs(drawn.length / pairs.length - share) < error(share, pairs.length), `${key}: ${share}`)
    assert(Math.abs(wrong.length / drawn.length - rate) < error(rate, drawn.length), `${key}: ${rate}`)
  }
  const [[color, background]] = novelPairs
  assert.equal(captionFaults({ object: 'circle', color, background }), undefined)
})

test('all captions together are one, and so are the colours of an object', () => {
  const or = <T>(values: readonly T[]) => [undefined, ...values]
  const { objects, colors, backgrounds } = shapesVocabulary
  const all = objects.flatMap(({ singular: object }) =>
    or(colors).flatMap((color) =>
      or(backgrounds).flatMap((background) =>
        or([1, 2, 3, 4]).map((count) => captionFaults({ object, color, background, count })?.share ?? 0),
      ),
    ),
  )
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0)
  assert(Math.abs(sum(all) - 1) < 1e-9)
  assert(Math.abs(sum(colors.map((color) => colorShare('ring', color))) - 1) < 1e-9)
  assert(colorShare('circle', 'red') > colorShare('circle', 'purple'))
})
