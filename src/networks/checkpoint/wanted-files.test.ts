import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '../../errors.ts'
import { pipelineParts, wantedFiles } from './wanted-files.ts'

const page = 'https://huggingface.co/owner/name'
const parts = ['scheduler', 'text_encoder', 'tokenizer', 'unet', 'vae']
/** As in runwayml/stable-diffusion-v1-5. */
const pipeline = [
  '.gitattributes',
  'README.md',
  'feature_extractor/preprocessor_config.json',
  'model_index.json',
  'safety_checker/config.json',
  'safety_checker/model.safetensors',
  'safety_checker/pytorch_model.bin',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'text_encoder/model.fp16.safetensors',
  'text_encoder/model.safetensors',
  'text_encoder/pytorch_model.bin',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'unet/diffusion_pytorch_model.bin',
  'unet/diffusion_pytorch_model.fp16.safetensors',
  'unet/diffusion_pytorch_model.non_ema.safetensors',
  'unet/diffusion_pytorch_model.safetensors',
  'unet/model.onnx',
  'unet/inner/config.json',
  'v1-5-pruned-emaonly.ckpt',
  'v1-5-pruned-emaonly.safetensors',
  'v1-inference.yaml',
  'vae/config.json',
  'vae/diffusion_pytorch_model.safetensors',
  'vae_decoder/config.json',
  'vae_decoder/model.onnx',
]
const configs = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'vae/config.json',
]

function refuse(offer: { paths: string[]; parts?: string[] }, variant: 'fp16' | 'bf16' | null, line: RegExp): void {
  assert.throws(
    () => wantedFiles({ ...offer, page }, variant),
    (error) => error instanceof ConfigError && line.test(error.message) && !error.message.includes('\n'),
    String(line),
  )
}

describe('pipelineParts', () => {
  it('are what model_index.json names, without what Attune does not use', () => {
    const index = {
      _class_name: 'StableDiffusionPipeline',
      feature_extractor: ['transformers', 'CLIPImageProcessor'],
      image_encoder: [null, null],
      requires_safety_checker: true,
      safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'],
      unet: ['diffusers', 'UNet2DConditionModel'],
      vae: ['diffusers', 'AutoencoderKL'],
    }
    assert.deepEqual(pipelineParts(index), ['unet', 'vae'])
  })
})

describe('wantedFiles', () => {
  it('takes configs, tokenizer and plain weights of a pipeline', () => {
    const weights = [
      'text_encoder/model.safetensors',
      'unet/diffusion_pytorch_model.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
    ]
    assert.deepEqual(wantedFiles({ paths: pipeline, parts, page }, null).sort(), [...configs, ...weights].sort())
  })

  it('takes a variant, and the plain file of a part without it', () => {
    const weights = [
      'text_encoder/model.fp16.safetensors',
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'vae/diffusion_pytorch_model.safetensors',
    ]
    assert.deepEqual(wantedFiles({ paths: pipeline, parts, page }, 'fp16').sort(), [...configs, ...weights].sort())
  })

  it('takes an index with its shards', () => {
    const stem = 'unet/diffusion_pytorch_model'
    const plain = [
      `${stem}.safetensors.index.json`,
      `${stem}-00001-of-00002.safetensors`,
      `${stem}-00002-of-00002.safetensors`,
    ]
    const half = [`${stem}.safetensors.index.fp16.json`, `${stem}-00001-of-00001.fp16.safetensors`]
    const offer = { paths: ['model_index.json', ...half, ...plain], parts: ['unet'], page }
    assert.deepEqual(wantedFiles(offer, null).sort(), ['model_index.json', ...plain].sort())
    assert.deepEqual(wantedFiles(offer, 'fp16').sort(), ['model_index.json', ...half].sort())
  })

  it('takes a model that lies in one folder', () => {
    const paths = ['README.md', 'config.json', 'merges.txt', 'model.safetensors', 'pytorch_model.bin', 'vocab.json']
    const more = [
      'flax_model.msgpack',
      'preprocessor_config.json',
      'tokenizer.json',
      'onnx/model.onnx',
      'onnx/config.json',
    ]
    assert.deepEqual(wantedFiles({ paths: [...paths, ...more], page }, null).sort(), [
      'config.json',
      'merges.txt',
      'model.safetensors',
      'preprocessor_config.json',
      'tokenizer.json',
      'vocab.json',
    ])
  })

  it('refuses a part with pickles only', () => {
    refuse(
      {
        paths: ['model_index.json', 'unet/diffusion_pytorch_model.bin', 'vae/model.safetensors'],
        parts: ['unet', 'vae'],
      },
      null,
      /huggingface.co\/owner\/name\/tree\/main\/unet\/: expected safetensors files, received only pickles/,
    )
  })

  it('refuses a model without weights of this layout', () => {
    refuse(
      { paths: ['README.md', 'sd_xl_base_1.0.safetensors'] },
      null,
      /received no diffusion_pytorch_model.safetensors or/,
    )
  })

  it('refuses a variant that no part has', () => {
    refuse({ paths: pipeline, parts }, 'bf16', /^--variant: expected no variant, or fp16, received bf16 — leave it out/)
    refuse(
      { paths: ['vae/model.safetensors'], parts: ['vae'] },
      'bf16',
      /^--variant: expected no variant, received bf16/,
    )
  })
})
