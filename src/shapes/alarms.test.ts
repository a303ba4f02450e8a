/** What alarms see on images of the embedded world: those of the base itself are quiet, spoilt ones raise what they should. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { drawImages } from '../images/draw.ts'
import { picturesOf, pixelsOf, type Picture } from '../images/png.ts'
import { policyOf } from '../networks/generative-model.ts'
import { departure, rareBound, spreadOf, type Spread } from '../policy/alarms/spread.ts'
import { statistics, statisticsOf } from '../policy/alarms/statistics.ts'
import { fromAllOver } from '../policy/sample-images.ts'
import { random } from '../random.ts'
import { cat, tensor } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { openShapes } from './open.ts'
import { seenPrompts } from './split.ts'

const [prompts, ofBase, ofPolicy] = [16, 4, 2]
/** As in a run of ten looks. */
const chance = 0.005 / 15 / 10

const byPrompt = (values: readonly number[]) => {
  const each = values.length / prompts
  return Array.from({ length: prompts }, (_, i) => values.slice(i * each, (i + 1) * each))
}

let spreads: ReadonlyMap<string, Spread>
/** Other images of the base, of the same prompts. */
let others: readonly Picture[]
before(() => {
  useThreads(1)
  using _scope = tensorScope()
  const { model } = openShapes()
  const texts = fromAllOver(
    seenPrompts().map(({ text }) => text),
    prompts,
  )
  const draw = (perPrompt: number, seed: number) =>
    drawImages(
      model,
      texts.flatMap((text, i) =>
        Array.from({ length: perPrompt }, (_, k) => ({ text, seed, index: perPrompt * i + k })),
      ),
      policyOf(model).sampling,
    )
  const base = statisticsOf(draw(ofBase, 1))
  spreads = new Map(statistics.map(({ name, resolution }) => [name, spreadOf(byPrompt(base[name]), resolution)]))
  others = draw(ofPolicy, 2)
})

/** Statistics that raise an alarm, of the other images changed. */
function alarmsOf(change: (pixels: Tensor) => Tensor): string[] {
  using _scope = tensorScope()
  const values = statisticsOf(picturesOf(change(pixelsOf(others))))
  return statistics
    .filter(({ name, isLossOnly }) => {
      const spread = spreads.get(name)!
      const z = departure(spread, byPrompt(values[name]))
      return (isLossOnly ? -z : Math.abs(z)) > rareBound(chance, spread.freedom)
    })
    .map(({ name }) => name)
}

const luma = (pixels: Tensor) => pixels.mul(tensor([0.299, 0.587, 0.114], [1, 3, 1, 1])).sum(1, true)

test('other images of the base raise none', () => {
  assert.deepEqual(
    alarmsOf((pixels) => pixels),
    [],
  )
})

test('a grid is a spectral peak, and no matter of colours', () => {
  const raised = alarmsOf((pixels) => {
    const [, , height, width] = pixels.shape
    const wave = Array.from({ length: height * width }, (_, i) => 0.3 * Math.cos((Math.PI * (i % width)) / 2))
    return pixels.add(tensor(wave, [1, 1, height, width])).clamp(-1, 1)
  })
  assert.ok(raised.includes('spectral_peak'), raised.join())
  for (const name of ['brightness', 'saturation', 'diversity']) assert.ok(!raised.includes(name), raised.join())
})

test('darkness is brightness and a share of dark pixels', () => {
  const raised = alarmsOf((pixels) => pixels.add(1).mul(0.12).sub(1))
  for (const name of ['brightness', 'dark_share']) assert.ok(raised.includes(name), raised.join())
})

test('glaring colours are saturation', () => {
  const raised = alarmsOf((pixels) => {
    const grey = luma(pixels)
    return grey.add(pixels.sub(grey).mul(3)).clamp(-1, 1)
  })
  assert.ok(raised.includes('saturation'), raised.join())
  for (const name of ['brightness', 'dark_share', 'spectral_peak']) assert.ok(!raised.includes(name), raised.join())
})

test('grey images are saturation, and no matter of light', () => {
  const raised = alarmsOf((pixels) => luma(pixels).expand(-1, 3, -1, -1))
  assert.ok(raised.includes('saturation'), raised.join())
  for (const name of ['brightness', 'dark_share', 'edge_density', 'spectral_peak', 'diversity']) {
    assert.ok(!raised.includes(name), raised.join())
  }
})

test('noise is edges, colours and bytes, and no grid', () => {
  const stream = random(3)
  const raised = alarmsOf((pixels) => {
    const noise = Array.from({ length: pixels.numel }, () => 0.8 * (stream.uniform() - 0.5))
    return pixels.add(tensor(noise, [...pixels.shape])).clamp(-1, 1)
  })
  for (const name of ['edge_density', 'colour_entropy', 'jpeg_size']) assert.ok(raised.includes(name), raised.join())
  for (const name of ['brightness', 'dark_share']) assert.ok(!raised.includes(name), raised.join())
})

test('one image for every noise is diversity alone', () => {
  const raised = alarmsOf((pixels) =>
    cat(
      Array.from({ length: prompts }, (_, i) =>
        pixels.slice(0, ofPolicy * i, ofPolicy * i + 1).expand(ofPolicy, -1, -1, -1),
      ),
    ),
  )
  assert.deepEqual(raised, ['diversity'])
})
