/** Weights and what configures them: models, adapters, rewards, states of training. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readScheduler } from '../../../src/diffusion/scheduler-config.ts'
import { openVocabulary } from '../../../src/networks/blip/vocabulary.ts'
import { readConfig } from '../../../src/networks/checkpoint/component-config.ts'
import { findWeights } from '../../../src/networks/checkpoint/find-weights.ts'
import { readLora } from '../../../src/networks/checkpoint/lora-file.ts'
import { parsePeftConfigs, scaleOf } from '../../../src/networks/checkpoint/peft-config.ts'
import { ClipConfig, TextEncoderConfig } from '../../../src/networks/clip/config.ts'
import { PreprocessorConfig } from '../../../src/networks/clip/preprocess.ts'
import { openTokenizer } from '../../../src/networks/clip/tokenizer.ts'
import { readAutoencoderConfig } from '../../../src/networks/stable-diffusion/autoencoder-config.ts'
import { checkCheckpoint } from '../../../src/networks/stable-diffusion/checkpoint.ts'
import { readUnetConfig } from '../../../src/networks/stable-diffusion/unet-config.ts'
import { readReward } from '../../../src/reward/reward-file.ts'
import { readSafetensors, readSafetensorsHeader } from '../../../src/tensor/safetensors.ts'
import { tensorScope } from '../../../src/tensor/scope.ts'
import { readTrainingState } from '../../../src/tensor/training-state.ts'
import { asFile, fixture, json, type Reader, sd1, textOf } from './reader.ts'

const loraNames = ['sd1-diffusers', 'sd1-kohya'].map((name) => `lora/${name}.safetensors`)
const peft = {
  r: 4,
  lora_alpha: 8,
  rank_pattern: { 'down_blocks.0.attn1.to_q': 2, '.*attn2.*to_[kv]$': 8 },
  alpha_pattern: { '^mid_block\\.\\d+': 1 },
  use_rslora: false,
}

/** A checkpoint in which one file is the input. */
const inCheckpoint = (name: string): Reader => ({
  name: `checkpoint ${name}`,
  form: name.endsWith('.json') ? 'json' : 'safetensors',
  sound: () => [readFileSync(join(sd1, name))],
  open: (folder) => {
    cpSync(sd1, join(folder, 'sd1'), { recursive: true })
    return (bytes) => {
      using _scope = tensorScope()
      writeFileSync(join(folder, 'sd1', name), bytes)
      checkCheckpoint(join(folder, 'sd1'))
    }
  },
})

/** A tokenizer in which one file is the input; some texts are encoded with it. */
const inTokenizer = (name: string): Reader => ({
  name: `tokenizer ${name}`,
  form: name.endsWith('.json') ? 'json' : 'text',
  sound: () => [readFileSync(join(sd1, 'tokenizer', name))],
  open: (folder) => {
    cpSync(join(sd1, 'tokenizer'), folder, { recursive: true })
    return (bytes) => {
      writeFileSync(join(folder, name), bytes)
      const tokenizer = openTokenizer(folder)
      for (const text of ['a red cat', '!?¿ <|endoftext|>', 'x'.repeat(200)]) tokenizer.encode(text)
    }
  },
})

/** A vocabulary of BERT; a text is encoded with it. */
const vocabularyReader = (name: string, sound: Reader['sound']): Reader => ({
  name: `vocabulary ${name}`,
  form: name.endsWith('.json') ? 'json' : 'text',
  sound,
  open: asFile(name, (_, folder) => {
    const { tokenizer } = openVocabulary(folder)
    for (const text of ['a red cat', '!?¿ [SEP]', 'x'.repeat(200)]) tokenizer.encode(text, 35)
  }),
})

const AnyJson = z.looseObject({})
const config = (name: string, file: string, read: (value: Record<string, unknown>) => unknown): Reader => ({
  name,
  form: 'json',
  sound: () => [readFileSync(join(sd1, file))],
  open: asFile('config.json', (_, folder) => read(readConfig(folder, 'config.json', AnyJson))),
})

export const checkpointReaders: readonly Reader[] = [
  {
    name: 'safetensors',
    form: 'safetensors',
    sound: () => [fixture('tensor-formats.safetensors'), fixture(loraNames[0])],
    open: asFile('a.safetensors', (file) => {
      using _scope = tensorScope()
      readSafetensorsHeader(file)
      readSafetensors(file)
    }),
  },
  {
    name: 'lora',
    form: 'safetensors',
    sound: () => loraNames.map(fixture),
    open: (folder) => {
      const unet = readSafetensorsHeader(join(sd1, 'unet/diffusion_pytorch_model.safetensors')).entries
      const targets = new Map([...unet].map(([name, { shape }]) => [`unet.${name}`, shape]))
      return asFile('a.safetensors', (file) => {
        using _scope = tensorScope()
        readLora(file, targets, 'sd1')
      })(folder)
    },
  },
  {
    name: 'adapter config',
    form: 'json',
    sound: () => json(peft, Object.fromEntries(Object.entries(peft).map(([field, value]) => [`unet.${field}`, value]))),
    open: () => (bytes) => {
      const own = parsePeftConfigs('input', textOf(bytes)).get('unet')
      if (own !== undefined) scaleOf('input', own, 'down_blocks.0.attentions.0.attn2.to_k', 8)
    },
  },
  ...['model_index.json', 'unet/config.json', 'vae/config.json', 'text_encoder/config.json'].map(inCheckpoint),
  ...['scheduler/scheduler_config.json', 'text_encoder/model.safetensors'].map(inCheckpoint),
  ...['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json'].map(inTokenizer),
  vocabularyReader('vocab.txt', () => [fixture('image-reward/vocab.txt')]),
  vocabularyReader('tokenizer.json', () => {
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', '##b']
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
    const normalizer = { type: 'BertNormalizer', lowercase: true }
    return json({ normalizer, model: { type: 'WordPiece', vocab }, added_tokens: [{ id: 0, content: '[PAD]' }] })
  }),
  config('unet config', 'unet/config.json', (value) => readUnetConfig(value, 'input')),
  config('vae config', 'vae/config.json', (value) => readAutoencoderConfig(value, 'input')),
  config('scheduler config', 'scheduler/scheduler_config.json', (value) => readScheduler(value, 'input')),
  {
    name: 'text encoder config',
    form: 'json',
    sound: () => [readFileSync(join(sd1, 'text_encoder/config.json'))],
    open: asFile('config.json', (_, folder) => readConfig(folder, 'config.json', TextEncoderConfig)),
  },
  {
    name: 'clip config',
    form: 'json',
    sound: () => [fixture('stable-diffusion/clip/config.json')],
    open: asFile('config.json', (_, folder) => readConfig(folder, 'config.json', ClipConfig)),
  },
  {
    name: 'preprocessor config',
    form: 'json',
    sound: () => [fixture('stable-diffusion/clip/preprocessor_config.json')],
    open: asFile('config.json', (_, folder) => readConfig(folder, 'config.json', PreprocessorConfig)),
  },
  {
    name: 'weights index',
    form: 'json',
    sound: () => json({ metadata: { total_size: 8 }, weight_map: { a: 'model-00001-of-00001.safetensors' } }),
    open: asFile('model.safetensors.index.json', (_, folder) => findWeights(folder, 'model')),
  },
  {
    name: 'reward file',
    form: 'safetensors',
    sound: () => [fixture('stable-diffusion/aesthetic-linear.safetensors')],
    open: asFile('reward.safetensors', (file) => {
      using _scope = tensorScope()
      readReward(file)
    }),
  },
  {
    name: 'training state',
    form: 'safetensors',
    sound: () => [fixture('tensor-formats.safetensors')],
    open: asFile('state.safetensors', (file) => {
      using _scope = tensorScope()
      readTrainingState(file)
    }),
  },
]
