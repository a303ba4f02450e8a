/** The rewards of a formula, on images whose scores are known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { jpegSizes } from '../../images/jpeg-sizes.ts'
import { modelFields, type Open } from '../../images/open-model.ts'
import { pixelsOf, type Picture } from '../../images/png.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { openReward } from '../open-reward.ts'

const unopened: Open = () => assert.fail('the model is not needed')
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const side = 32

/** A picture by the colour of each pixel, 0 to 255. */
function picture(colourAt: (x: number, y: number) => readonly number[]): Picture {
  const bytes = new Uint8Array(side * side * 3)
  for (let i = 0; i < side * side; i++) bytes.set(colourAt(i % side, Math.floor(i / side)), 3 * i)
  return { bytes, width: side, height: side }
}
const plain = (...colour: number[]) => picture(() => colour)
const noisy = picture((x, y) => [0, 1, 2].map((channel) => (x * 97 + y * 57 + x * y * 31 + channel * 83) % 256))

async function scores(name: string, ...pictures: Picture[]): Promise<number[]> {
  using _scope = tensorScope()
  const reward = await openReward(name, config, unopened)
  return reward
    .score(
      pixelsOf(pictures),
      pictures.map(() => 'a prompt'),
    )
    .toArray()
}

test('redness is 1 for red, -1 for its opposite and 0 for every grey', async () => {
  const found = await scores('redness', plain(255, 0, 0), plain(0, 255, 255), plain(90, 90, 90), plain(0, 255, 0))
  assertClose(found, [1, -1, 0, -0.5], 1e-6)
})

test('brightness is the luma', async () => {
  const found = await scores('brightness', plain(0, 0, 0), plain(255, 255, 255), plain(0, 255, 0))
  assertClose(found, [0, 1, 0.587], 1e-6)
})

test('the size of a JPEG is that of the file that Pillow writes at quality 95, in kB, and compressibility is minus that', async () => {
  const found = await scores('jpeg-size', noisy, plain(128, 128, 128))
  assertClose(found, [1.777, 0.641], 1e-6)
  assertClose(await scores('jpeg-compressibility', noisy, plain(128, 128, 128)), [-1.777, -0.641], 1e-6)
})

test('what is wrong with a picture is told to the one that waits for its size', () => {
  assert.throws(() => jpegSizes([{ ...noisy, width: 2 * side }]), /JPEG: expected sizes of pictures, received Error/)
})
