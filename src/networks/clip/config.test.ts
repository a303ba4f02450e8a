import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClipConfig, TextEncoderConfig } from './config.ts'
import { readJson } from './fixture.test-helper.ts'

const complaintsOf = (schema: typeof ClipConfig | typeof TextEncoderConfig, file: unknown) =>
  schema.safeParse(file).error?.issues.map(({ path }) => path.join('.'))

describe('the config of a text encoder', () => {
  it('is read whole', () => {
    const { text, projection } = TextEncoderConfig.parse(readJson('sdxl/text_encoder_2/config.json'))
    assert.equal(projection, 12)
    assert.deepEqual(text, {
      width: 16,
      feedForward: 32,
      layers: 2,
      heads: 2,
      activation: 'gelu',
      epsilon: 1e-5,
      vocabulary: 814,
      length: 77,
      endToken: undefined,
    })
  })

  it('has no projection where the class has none', () => {
    const { text, projection } = TextEncoderConfig.parse(readJson('sd1/text_encoder/config.json'))
    assert.equal(projection, undefined)
    assert.equal(text.endToken, 813)
  })

  it('is refused by the field that does not fit', () => {
    const file = readJson('sd1/text_encoder/config.json') as Record<string, unknown>
    const withField = (field: Record<string, unknown>) => complaintsOf(TextEncoderConfig, { ...file, ...field })
    assert.deepEqual(withField({ hidden_act: 'relu' }), ['hidden_act'])
    assert.deepEqual(withField({ architectures: ['T5EncoderModel'] }), ['architectures.0'])
    assert.deepEqual(withField({ architectures: undefined }), ['architectures'])
    assert.deepEqual(withField({ num_hidden_layers: 0 }), ['num_hidden_layers'])
    assert.deepEqual(withField({ num_attention_heads: 3 }), ['num_attention_heads'])
    assert.deepEqual(withField({ eos_token_id: [813] }), ['eos_token_id'])
  })
})

describe('the config of a CLIPModel', () => {
  const architectures = ['CLIPModel']

  it('has the defaults of CLIP ViT-B/32', () => {
    const { text, vision, projection } = ClipConfig.parse({ architectures })
    assert.equal(projection, 512)
    const common = { layers: 12, activation: 'quick_gelu', epsilon: 1e-5 }
    assert.deepEqual(text, {
      ...common,
      width: 512,
      feedForward: 2048,
      heads: 8,
      vocabulary: 49408,
      length: 77,
      endToken: 49407,
    })
    assert.deepEqual(vision, { ...common, width: 768, feedForward: 3072, heads: 12, imageSize: 224, patchSize: 32 })
  })

  it('takes the sizes from the older fields where they are there', () => {
    const { text, vision } = ClipConfig.parse({
      architectures,
      text_config: { hidden_size: 64, vocab_size: 100 },
      text_config_dict: { hidden_size: 1024, num_attention_heads: 16 },
      vision_config: { patch_size: 14 },
      vision_config_dict: null,
    })
    assert.deepEqual([text.width, text.heads, text.vocabulary], [1024, 16, 49408])
    assert.equal(vision.patchSize, 14)
  })

  it('is refused by the field that does not fit', () => {
    const withField = (field: Record<string, unknown>) => complaintsOf(ClipConfig, { architectures, ...field })
    assert.deepEqual(withField({ architectures: ['SiglipModel'] }), ['architectures.0'])
    assert.deepEqual(withField({ text_config: { hidden_act: 'silu' } }), ['text_config.hidden_act'])
    assert.deepEqual(withField({ vision_config: { num_channels: 1 } }), ['vision_config.num_channels'])
    assert.deepEqual(withField({ vision_config: { num_attention_heads: 5 } }), ['vision_config.num_attention_heads'])
  })
})
