/** Broken checkpoints: one line that names file and key, and nothing written. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { openChange } from '../src/policy/policy-file.ts'
import { AttuneError } from '../src/errors.ts'
import { zeros } from '../src/tensor/create.ts'
import { useThreads } from '../src/tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../src/tensor/safetensors.ts'
import { tensorScope } from '../src/tensor/scope.ts'
import type { Tensor } from '../src/tensor/tensor.ts'

useThreads(1)

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const fixtures = fileURLToPath(new URL('fixtures/stable-diffusion/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-bad-'))
const at = (name: string) => join(folder, name)
after(() => rmSync(folder, { recursive: true }))

const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
const unetFile = 'unet/diffusion_pytorch_model.safetensors'

/** A copy of a fixture, changed. */
function broken(name: string, change: (path: (file: string) => string) => void, source = 'sd1'): string {
  cpSync(join(fixtures, source), at(name), { recursive: true })
  change((file) => join(at(name), file))
  return at(name)
}

function edit(file: string, change: (tensors: Map<string, Tensor>) => void): void {
  using _scope = tensorScope()
  const { tensors, metadata } = readSafetensors(file)
  change(tensors)
  writeSafetensors(file, tensors, metadata)
}

function editConfig(file: string, change: (config: Record<string, unknown>) => void): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  change(config)
  writeFileSync(file, JSON.stringify(config))
}

const cases: [name: string, make: () => string, told: RegExp][] = [
  [
    'wrong-shape',
    () => broken('wrong-shape', (path) => edit(path(unetFile), (all) => all.set('conv_out.bias', zeros([5])))),
    /unet\/diffusion_pytorch_model\.safetensors conv_out\.bias: expected shape \[4\], received \[5\]/,
  ],
  [
    'missing-key',
    () =>
      broken('missing-key', (path) => edit(path(unetFile), (all) => all.delete('mid_block.resnets.0.conv1.weight'))),
    /diffusion_pytorch_model\.safetensors mid_block\.resnets\.0\.conv1\.weight: .* received no tensor of this name/,
  ],
  [
    'extra-key',
    () => broken('extra-key', (path) => edit(path(unetFile), (all) => all.set('another.weight', zeros([1])))),
    /diffusion_pytorch_model\.safetensors another\.weight: expected only tensors of the network/,
  ],
  [
    'nan',
    () => broken('nan', (path) => edit(path(unetFile), (all) => all.get('conv_in.bias')!.mul_(NaN))),
    /diffusion_pytorch_model\.safetensors conv_in\.bias: expected finite numbers/,
  ],
  [
    'truncated-shard',
    () =>
      broken(
        'truncated-shard',
        (path) => truncateSync(path('unet/diffusion_pytorch_model-00002-of-00003.safetensors'), 5000),
        'sd1-sharded',
      ),
    /unet\/diffusion_pytorch_model-00002-of-00003\.safetensors/,
  ],
  [
    'missing-shard',
    () =>
      broken(
        'missing-shard',
        (path) => rmSync(path('unet/diffusion_pytorch_model-00002-of-00003.safetensors')),
        'sd1-sharded',
      ),
    /diffusion_pytorch_model\.safetensors\.index\.json .*: expected the shard diffusion_pytorch_model-00002-of-00003/,
  ],
  [
    'unsupported-class',
    () =>
      broken('unsupported-class', (path) =>
        editConfig(path('unet/config.json'), (config) => (config._class_name = 'SD3Transformer2DModel')),
      ),
    /unet\/config\.json _class_name: expected UNet2DConditionModel, received "SD3Transformer2DModel"/,
  ],
  [
    'unsupported-pipeline',
    () =>
      broken('unsupported-pipeline', (path) =>
        editConfig(path('model_index.json'), (config) => (config._class_name = 'FluxPipeline')),
      ),
    /model_index\.json _class_name: expected one of LatentConsistencyModelPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline, received FluxPipeline/,
  ],
  [
    'inpainting',
    () => broken('inpainting', (path) => editConfig(path('unet/config.json'), (config) => (config.in_channels = 9))),
    /unet\/config\.json in_channels: expected 4, as out_channels: .* to fill in \(9\).*, received 9/,
  ],
  [
    'saved-without-text-encoder',
    () =>
      broken('saved-without-text-encoder', (path) => {
        editConfig(path('model_index.json'), (config) => (config.text_encoder = [null, null]))
      }),
    /model_index\.json text_encoder: expected the class of this part, received null: it was saved without/,
  ],
  ['a-lora', () => broken('a-lora', () => undefined, 'lora-sd1'), /a-lora: .*received a LoRA — give it as --policy/],
  ['one-part', () => join(fixtures, 'sd1', 'unet'), /sd1\/unet: .*received one part .* — name the whole: .*sd1$/],
  ['files', () => join(fixtures, 'single-files'), /received neither, but sd\w+\.safetensors — name the file/],
  [
    'another-text-encoder',
    () =>
      broken('another-text-encoder', (path) =>
        cpSync(join(fixtures, 'sdxl/text_encoder'), path('text_encoder'), { recursive: true }),
      ),
    /unet\/config\.json cross_attention_dim: expected \d+, the width of text_encoder/,
  ],
  [
    'pickled',
    () => broken('pickled', (path) => renameSync(path(unetFile), path('unet/diffusion_pytorch_model.bin'))),
    /unet.*pickle.*runs any code.*convert/,
  ],
  [
    'no-index',
    () => broken('no-index', (path) => rmSync(path('model_index.json'))),
    /model_index\.json: expected a JSON file, received no such file/,
  ],
]

describe('a broken checkpoint', () => {
  for (const [name, make, told] of cases) {
    it(`is refused in one line: ${name}`, () => {
      const model = make()
      assert.throws(
        () => openStableDiffusion(model, options),
        (error) =>
          error instanceof AttuneError &&
          told.test(error.message) &&
          !error.message.includes('\n') &&
          error.exitCode === 2,
      )
    })
  }

  it('leaves no run folder behind', () => {
    const model = broken('for-cli', (path) => edit(path(unetFile), (all) => all.delete('conv_in.bias')))
    writeFileSync(at('prompts.txt'), 'a dog\n')
    const command = ['images', 'generate', '--prompts', at('prompts.txt'), '--model', model, '--out', at('out')]
    const { status, stderr } = spawnSync(process.execPath, [cli, ...command], { encoding: 'utf8' })
    assert.equal(status, 2)
    assert.equal(stderr.trim().split('\n').length, 1)
    assert.ok(!existsSync(at('out')))
  })

  it('a LoRA of SDXL does not fit Stable Diffusion 1', () => {
    using _scope = tensorScope()
    const { model } = openStableDiffusion(join(fixtures, 'sd1'), options)
    assert.throws(
      () => openChange(model, join(fixtures, 'lora-sdxl')),
      (error) => error instanceof AttuneError && /lora-sdxl\/pytorch_lora_weights\.safetensors \S+/.test(error.message),
    )
  })

  it('a resolution that its latents cannot have', () => {
    assert.throws(
      () => openStableDiffusion(join(fixtures, 'sd1'), { ...options, imageSize: { width: 17, height: 17 } }),
      /--resolution: expected a multiple of 2/,
    )
    assert.throws(
      () => openStableDiffusion(join(fixtures, 'sd1'), { ...options, imageSize: { width: 24, height: 15 } }),
      /--resolution: expected multiples of 2, received 24x15 — use 24x16/,
    )
  })
})
