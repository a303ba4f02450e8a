import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { tensor, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Weights } from '../weights.ts'
import { TextEncoderConfig } from './config.ts'
import { assertNear, expectedOf, hollow, readJson, weightsOf } from './fixture.test-helper.ts'
import { projectText, publishedTextKey, textModel } from './text-model.ts'

useThreads(1)

const cases = [
  { checkpoint: 'sd1', folder: 'text_encoder', key: 'text', pooled: 'text.pooler_output' },
  { checkpoint: 'sd2', folder: 'text_encoder', key: 'text', pooled: 'text.pooler_output' },
  { checkpoint: 'sdxl', folder: 'text_encoder', key: 'text', pooled: 'text.pooler_output' },
  { checkpoint: 'sdxl', folder: 'text_encoder_2', key: 'text_2', pooled: 'text_2.text_embeds' },
]

function open(folder: string, dtype: Dtype = 'float32') {
  return { config: TextEncoderConfig.parse(readJson(`${folder}/config.json`)), weights: weightsOf(folder, dtype) }
}

function compare({ checkpoint, folder, key, pooled }: (typeof cases)[number], dtype: Dtype, tolerance: number) {
  const expected = expectedOf(checkpoint)
  const { config, weights } = open(`${checkpoint}/${folder}`, dtype)
  const result = textModel(weights, config.text, expected(`${key}.input_ids`))
  assert.equal(result.last.dtype, dtype)
  assertNear(result.last, expected(`${key}.last_hidden_state`), tolerance)
  assertNear(result.penultimate, expected(`${key}.penultimate_hidden_state`), tolerance)
  const { text, projection } = config
  const final = projection === undefined ? result.pooled : projectText(weights, text, projection, result.pooled)
  assertNear(final, expected(pooled), tolerance)
  assert.deepEqual(weights.unasked(), [])
}

describe('the text model', () => {
  for (const one of cases) {
    it(`gives the numbers of transformers: ${one.checkpoint}/${one.folder}`, () => {
      withoutLeak(() => compare(one, 'float32', 1e-5))
    })
    it(`gives them to the precision of bfloat16: ${one.checkpoint}/${one.folder}`, () => {
      withoutLeak(() => compare(one, 'bfloat16', 0.08))
    })
  }

  it('has the shapes of its results without elements', () => {
    withoutLeak(() => {
      const { config, weights } = open('sdxl/text_encoder_2')
      const empty = hollow(weights)
      const { last, penultimate, pooled } = textModel(empty, config.text, zeros([2, 77], 'int64', 'meta'))
      const projected = projectText(empty, config.text, config.projection!, pooled)
      assert.deepEqual(
        [last, penultimate, pooled, projected].map(({ shape }) => shape),
        [
          [2, 77, 16],
          [2, 77, 16],
          [2, 16],
          [2, 12],
        ],
      )
      assert.deepEqual(empty.unasked(), [])
    })
  })

  it('pools at the first end token, or at the largest token where the config is an old one', () => {
    withoutLeak(() => {
      const weights = Weights.fresh(1)
      const config = { width: 4, feedForward: 4, layers: 1, heads: 1, activation: 'gelu', epsilon: 1e-5 } as const
      const ids = tensor([9, 7, 3, 8, 3, 3], [1, 6], 'int64')
      const poolsAt = (endToken: number | undefined, place: number) => {
        const { last, pooled } = textModel(weights, { ...config, vocabulary: 10, length: 6, endToken }, ids)
        assert.deepEqual(pooled.toArray(), last.select(1, place).toArray())
      }
      poolsAt(3, 2)
      poolsAt(8, 3)
      poolsAt(undefined, 0)
      poolsAt(5, 0)
      for (const each of weights.tensors().values()) each.dispose()
    })
  })

  it('sees earlier tokens alone', () => {
    withoutLeak(() => {
      const { config, weights } = open('sd1/text_encoder')
      const ids = expectedOf('sd1')('text.input_ids').slice(0, 0, 1)
      const changed = ids.toArray()
      changed[5] = 17
      const statesOf = (tokens: Tensor) => textModel(weights, config.text, tokens).last
      const [before, after] = [statesOf(ids), statesOf(tensor(changed, [1, 77], 'int64'))]
      assert.deepEqual(after.slice(1, 0, 5).toArray(), before.slice(1, 0, 5).toArray())
      assert.notDeepEqual(after.slice(1, 5, 6).toArray(), before.slice(1, 5, 6).toArray())
    })
  })
})

describe('names of parameters', () => {
  it('get the prefix that transformers 5 leaves out', () => {
    assert.equal(publishedTextKey('encoder.layers.0.mlp.fc1.bias'), 'text_model.encoder.layers.0.mlp.fc1.bias')
    assert.equal(publishedTextKey('final_layer_norm.weight'), 'text_model.final_layer_norm.weight')
    assert.equal(publishedTextKey('text_model.final_layer_norm.weight'), 'text_model.final_layer_norm.weight')
    assert.equal(publishedTextKey('text_projection.weight'), 'text_projection.weight')
  })
})
