import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { FileError, FormatError } from '../../errors.ts'
import { pixelsOf } from '../../images/png.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { assertNear, fixtures as diffusionFixtures, weightsOf } from '../clip/fixture.test-helper.ts'
import { OwlVitConfig } from '../clip/config.ts'
import { openTokenizer } from '../clip/tokenizer.ts'
import { checkDetector } from './open-detector.ts'
import { embedQueries, findBoxes } from './owl-vit.ts'

useThreads(1)

const fixtures = fileURLToPath(new URL('../../../test/fixtures/features/', import.meta.url))
const owl = join(fixtures, 'owlvit')
const folder = mkdtempSync(join(tmpdir(), 'attune-detector-'))
after(() => rmSync(folder, { recursive: true }))
const texts = ['a red circle', 'two', 'a photo of a cat']

test('OWL-ViT gives the scores and boxes of transformers', () => {
  const detector = checkDetector(owl).open('cpu')
  withoutLeak(() => {
    const { tensors: all } = readSafetensors(join(fixtures, 'expected-owlvit.safetensors'))
    const config = OwlVitConfig.parse(JSON.parse(readFileSync(join(owl, 'config.json'), 'utf8')))
    const tokenizer = openTokenizer(owl)
    assert.deepEqual(texts.flatMap((text) => tokenizer.encode(text)), all.get('input_ids')!.toArray()) // prettier-ignore
    const weights = weightsOf('../features/owlvit')
    const queries = embedQueries(weights, config, all.get('input_ids')!)
    for (const i of [0, 1]) {
      const { logits, boxes } = findBoxes(weights, config, all.get(`pixel_values.${i}`)!, queries)
      assertNear(logits, all.get(`logits.${i}`)!, 1e-5)
      assertNear(boxes, all.get(`boxes.${i}`)!, 1e-5)

      const image = all.get(`image.${i}`)!
      const [height, width] = image.shape
      const [found] = detector.find(pixelsOf([{ bytes: new Uint8Array(image.toBytes()), width, height }]), texts)
      const scores = all.get(`logits.${i}`)!.sigmoid().toArray()
      const sides = all.get(`boxes.${i}`)!.toArray()
      assert.equal(found.length, 16)
      found.forEach(({ box, scores: own }, patch) => {
        own.forEach((score, text) => assert.ok(Math.abs(score - scores[3 * patch + text]) < 0.02))
        assert.ok(Math.abs((box[0] + box[2]) / 2 - sides[4 * patch]) < 0.02)
        assert.ok(Math.abs(box[3] - box[1] - sides[4 * patch + 3]) < 0.02)
      })
    }
  })
})

test('what is no detector, or does not fit its config, is refused by file and field', () => {
  const refuses = (name: string, where: RegExp) =>
    assert.throws(
      () => checkDetector(name),
      (error) => error instanceof FormatError && where.test(error.where),
    )
  refuses(join(diffusionFixtures, 'clip'), /config\.json architectures/)
  assert.throws(() => checkDetector(join(folder, 'nothing')), FileError)
  const other = join(folder, 'other')
  cpSync(owl, other, { recursive: true })
  const config = JSON.parse(readFileSync(join(other, 'config.json'), 'utf8')) as Record<string, object>
  const write = (more: Record<string, unknown>) =>
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, ...more }))
  write({ projection_dim: 8 })
  refuses(other, /text_projection\.weight$/)
  write({ text_config: { ...config.text_config, max_position_embeddings: 77 } })
  refuses(other, /text_config/)
  write({ vision_config: { ...config.vision_config, image_size: 32 } })
  refuses(other, /preprocessor_config\.json size/)
  rmSync(join(other, 'preprocessor_config.json'))
  refuses(other, /position_embedding\.weight$/)
})
