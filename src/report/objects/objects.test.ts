import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Picture } from '../../images/png.ts'
import type { Detector } from '../../networks/detector/open-detector.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import type { Composition, Prompt } from '../../records.ts'
import { tensor } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { checkObjects } from './check-objects.ts'
import { compositionOf } from './composition-of.ts'
import { distinct, overlap, relationsOf, shows, type Box, type FoundObject } from './rules.ts'

const prompt = (text: string, more: Partial<Prompt> = {}): Prompt => ({ id: 'p', text, category: 'other', ...more })

describe('what a prompt asks for', () => {
  const asks = (text: string, expected: Composition | undefined) =>
    assert.deepEqual(compositionOf(prompt(text)), expected, text)

  it('is read from its words', () => {
    asks('a photo of a bench', { tag: 'single_object', include: [{ class: 'bench', count: 1 }] })
    asks('A green colored rabbit.', { tag: 'colors', include: [{ class: 'rabbit', color: 'green', count: 1 }] })
    const wolves = { include: [{ class: 'wolf', count: 4 }], exclude: [{ class: 'wolf', count: 5 }] }
    asks('Four wolves in the park.', { tag: 'counting', ...wolves })
    const both = [{ class: 'cat', count: 1 }, { class: 'dog', count: 1 }] // prettier-ignore
    asks('a cat and a dog', { tag: 'two_object', include: both })
    const colored = [{ class: 'dining table', color: 'red', count: 1 }, { class: 'dog', color: 'grey', count: 1 }] // prettier-ignore
    asks('a photo of a red dining table and a grey dog', { tag: 'color_attr', include: colored })
    asks('a dog on the moon', { tag: 'single_object', include: [{ class: 'dog', count: 1 }] })
  })

  it('is nothing where other words would be left out', () => {
    for (const text of [
      '',
      'a very old wooden ship at sea',
      'a cat, a dog',
      'cats',
      'a cat and a cat',
      'x'.repeat(600),
    ])
      asks(text, undefined)
  })

  it('is read from attributes, but for a background', () => {
    assert.deepEqual(
      compositionOf(prompt('two red circles', { attributes: { object: 'circle', color: 'red', count: 2 } })),
      {
        tag: 'counting',
        include: [{ class: 'circle', color: 'red', count: 2 }],
        exclude: [{ class: 'circle', count: 3 }],
      },
    )
    assert.equal(compositionOf(prompt('x', { attributes: { object: 'circle', background: 'blue' } })), undefined)
  })
})

const at = (box: Box, score = 0.9): FoundObject => ({ box, score })

describe('the rules', () => {
  it('take boxes that lie over each other for one object, and none below the threshold', () => {
    const [first, over, beside, faint] = [at([0, 0, 10, 10], 0.8), at([1, 0, 11, 10]), at([20, 0, 30, 10], 0.5), at([40, 0, 50, 10], 0.1)] // prettier-ignore
    assert.deepEqual(distinct([first, over, beside, faint], 0.1), [over, beside])
    assert.equal(overlap([0, 0, 10, 10], [0, 5, 10, 15]), 1 / 3)
    assert.equal(overlap([0, 0, 10, 10], [20, 20, 30, 30]), 0)
    assert.equal(overlap([3, 3, 3, 3], [3, 3, 3, 3]), 0)
    const many = Array.from({ length: 40 }, (_, i) => at([20 * i, 0, 20 * i + 10, 10]))
    assert.equal(distinct(many, 0.1).length, 16)
  })

  it('tell where a box stands from another, beyond a tenth of their sides', () => {
    const box = (x: number, y: number, side = 10): Box => [x, y, x + side, y + side]
    assert.deepEqual(relationsOf(box(0, 0), box(30, 0)), ['left of'])
    assert.deepEqual(relationsOf(box(30, 0), box(0, 0)), ['right of'])
    assert.deepEqual(relationsOf(box(0, 0), box(0, 30)), ['above'])
    assert.deepEqual(relationsOf(box(20, 50), box(0, 30)), ['right of', 'below'])
    assert.deepEqual(relationsOf(box(2, 0), box(0, 0)), [])
    assert.deepEqual(relationsOf(box(0, 0), box(0, 0)), [])
    assert.deepEqual(relationsOf(box(3.9, 0), box(0, 0)), [])
    assert.deepEqual(relationsOf(box(4.1, 0), box(0, 0)), ['right of'])
  })

  const none = () => []
  const found = (objects: Record<string, FoundObject[]>) => new Map(Object.entries(objects))
  it('count exactly where more are excluded', () => {
    const three: Composition = { include: [{ class: 'cup', count: 3 }], exclude: [{ class: 'cup', count: 4 }] }
    const cups = (count: number) => found({ cup: Array.from({ length: count }, () => at([0, 0, 1, 1])) })
    assert.deepEqual([0, 2, 3, 4].map((count) => shows(three, cups(count), none)), [false, false, true, false]) // prettier-ignore
    assert.equal(shows({ include: [{ class: 'dog', count: 1 }] }, cups(3), none), false)
  })

  it('ask for the colour of the surest objects alone', () => {
    const red: Composition = { include: [{ class: 'cup', count: 1, color: 'red' }] }
    const cups = found({ cup: [at([0, 0, 5, 5], 0.9), at([10, 0, 15, 5], 0.8)] })
    const colors = (of: string[]) => (_: string, objects: readonly FoundObject[]) => of.slice(0, objects.length)
    assert.equal(shows(red, cups, colors(['red', 'blue'])), true)
    assert.equal(shows(red, cups, colors(['blue', 'red'])), false)
  })

  it('want an object in its place to another', () => {
    const left: Composition = {
      include: [{ class: 'cup', count: 1 }, { class: 'dog', count: 1, position: ['left of', 0] }], // prettier-ignore
    }
    const scene = (dog: Box) => found({ cup: [at([50, 0, 60, 10])], dog: [at(dog)] })
    assert.equal(shows(left, scene([0, 0, 10, 10]), none), true)
    assert.equal(shows(left, scene([90, 0, 99, 10]), none), false)
  })
})

describe('checking images', () => {
  /** A detector that takes each red or green half for a cup, and CLIP that names its colour. */
  const detector: Detector = {
    network: 'test',
    resize: 'none',
    sha256: '0',
    find: (pixels, texts) => {
      const values = pixels.toArray()
      const isBright = (channel: number, x: number) => values[channel * 8 + x] > 0
      return [
        [0, 2].map((x) => ({
          box: [x / 4, 0, (x + 2) / 4, 1] as const,
          scores: texts.map((text) => (text === 'a photo of a cup' && (isBright(0, x) || isBright(1, x)) ? 0.7 : 0.01)),
        })),
      ]
    },
  }
  const row = (isRed: boolean) => (isRed ? [1, 0] : [0, 1])
  const embedImages = (pixels: Tensor) => tensor(row(pixels.toArray()[0] > 0), [1, 2])
  const colors: ImageTextEncoder = {
    name: 'red or not',
    sha256: '0',
    width: 2,
    device: 'cpu',
    embedImages,
    embedWithGradient: embedImages,
    embedTexts: (texts) =>
      tensor(
        texts.flatMap((text) => row(text.includes('red'))),
        [texts.length, 2],
      ),
  }
  /** Four by two pixels, each half of one colour. */
  const halves = (...[left, right]: (readonly [number, number, number])[]): Picture => ({
    bytes: new Uint8Array([left, left, right, right, left, left, right, right].flat()),
    width: 4,
    height: 2,
  })
  const [red, green, black] = [[255, 0, 0] as const, [0, 255, 0] as const, [0, 0, 0] as const]
  const compositions = ['a cup', 'two cups', 'a red cup', 'a dog', 'whatever it is'].map((text) =>
    compositionOf(prompt(text)),
  )
  const pictures = [
    [halves(red, black), halves(black, black)],
    [halves(red, green), halves(red, black)],
    [halves(black, red), halves(green, black)],
    [halves(red, red), halves(black, black)],
    [halves(red, red), halves(black, black)],
  ]

  it('finds objects, numbers and colours', () => {
    const told: number[] = []
    const found = checkObjects(compositions, pictures, { detector, threshold: 0.1, colors }, (count) =>
      told.push(count),
    )
    assert.deepEqual(found, [[1, 0], [1, 0], [1, 0], [0, 0], null]) // prettier-ignore
    assert.equal(told.length, 8)
  })

  it('leaves prompts of a colour out where nothing tells colours', () => {
    const found = checkObjects(compositions, pictures, { detector, threshold: 0.1 })
    assert.deepEqual(found, [[1, 0], [1, 0], null, [0, 0], null]) // prettier-ignore
  })
})
