/**
 * Every reader of files that come from elsewhere or lie in a workspace. A new one is one more entry of `readers`: sound
 * files of its own, their form, and how one is read.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { z } from 'zod'
import { parseConfig } from '../../src/config.ts'
import { readScheduler } from '../../src/diffusion/scheduler-config.ts'
import { judgmentsOfCsv } from '../../src/feedback/formats/csv.ts'
import { readD3po } from '../../src/feedback/formats/d3po.ts'
import { imageFinder } from '../../src/feedback/formats/find-image.ts'
import { filesIn, type ForeignOptions } from '../../src/feedback/formats/foreign-json.ts'
import type { ForeignRecords } from '../../src/feedback/formats/foreign.ts'
import { readHpdv2 } from '../../src/feedback/formats/hpdv2.ts'
import { readImageReward } from '../../src/feedback/formats/image-reward.ts'
import { judgmentsOfLines } from '../../src/feedback/formats/json-lines.ts'
import { readLabelStudio } from '../../src/feedback/formats/label-studio.ts'
import { ownPicture } from '../../src/feedback/formats/own-picture.ts'
import * as made from '../../src/feedback/formats/parquet.test-helper.ts'
import { readParquet } from '../../src/feedback/formats/parquet-judgments.ts'
import { ImportConfig } from '../../src/feedback/import-labels.ts'
import { readCroppedPicture } from '../../src/images/cropped-picture.ts'
import { readCaptionedImages } from '../../src/images/image-folder.ts'
import { readImageList } from '../../src/images/image-run.ts'
import { LeftOut } from '../../src/images/left-out.ts'
import { readPicture } from '../../src/images/png.ts'
import { readConfig } from '../../src/networks/checkpoint/component-config.ts'
import { findWeights } from '../../src/networks/checkpoint/find-weights.ts'
import { readLora } from '../../src/networks/checkpoint/lora-file.ts'
import { parsePeftConfigs, scaleOf } from '../../src/networks/checkpoint/peft-config.ts'
import { ClipConfig, TextEncoderConfig } from '../../src/networks/clip/config.ts'
import { PreprocessorConfig } from '../../src/networks/clip/preprocess.ts'
import { openTokenizer } from '../../src/networks/clip/tokenizer.ts'
import { readAutoencoderConfig } from '../../src/networks/stable-diffusion/autoencoder-config.ts'
import { checkCheckpoint } from '../../src/networks/stable-diffusion/checkpoint.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import { readDistractors } from '../../src/prompts/distractors-file.ts'
import { promptList } from '../../src/prompts/prompt-file.ts'
import { decodeText } from '../../src/files.ts'
import { random } from '../../src/random.ts'
import { metricsOf } from '../../src/report/lineage.ts'
import { readReward } from '../../src/reward/reward-file.ts'
import { readRun } from '../../src/run.ts'
import { shapesVocabulary } from '../../src/shapes/vocabulary.ts'
import { readJobs } from '../../src/studio/jobs/job-record.ts'
import { partsOf } from '../../src/studio/server/multipart.ts'
import { RunLibrary } from '../../src/studio/runs.ts'
import { openWorkspace } from '../../src/studio/workspace.ts'
import { readSafetensors, readSafetensorsHeader } from '../../src/tensor/safetensors.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import { readTrainingState } from '../../src/tensor/training-state.ts'
import type { Form } from './inputs.ts'

export interface Reader {
  readonly name: string
  readonly form: Form
  readonly sound: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** @param folder to work in; returns what reads one input */
  readonly open: (folder: string) => ReadInput | Promise<ReadInput>
}
type ReadInput = (bytes: Uint8Array) => unknown

const fixtures = fileURLToPath(new URL('../../test/fixtures/', import.meta.url))
const fixture = (name: string) => readFileSync(join(fixtures, name))
const sd1 = join(fixtures, 'stable-diffusion/sd1')
const json = (...values: unknown[]) => values.map((value) => Buffer.from(JSON.stringify(value)))
const texts = (...values: string[]) => values.map((value) => Buffer.from(value))
const textOf = (bytes: Uint8Array) => decodeText('input', bytes)

/** Reads the input from a file of this name in the folder. */
const asFile =
  (name: string, read: (file: string, folder: string) => unknown): Reader['open'] =>
  (folder) =>
  (bytes) => {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
    return read(file, folder)
  }

const at = '2026-01-02T03:04:05.678Z'
const image = (index: number) => `${index}`.repeat(16)
const records = [1, 2, 3].map((index) => ({
  id: image(index),
  prompt: `p${index}`,
  text: `a cat ${index}`,
  category: 'other',
  file: `images/${index}.png`,
  sha256: 'a'.repeat(64),
  seed: 1,
  index,
  policy: 'pretrained',
}))
const shared = { rater: 'ada', raterKind: 'person', at }
const judgments = [
  { ...shared, id: '1', kind: 'good-bad-skip', images: [image(1)], answer: 'good', durationMs: 10 },
  { ...shared, id: '2', kind: 'pair', images: [image(1), image(2)], answer: 'first', undoes: '1' },
  { ...shared, id: '3', kind: 'ranking', images: [image(1), image(2), image(3)], answer: 'ranked', ranks: [1, 2, 2] },
]
const table =
  'image,answer,rater,at,duration_ms,id,rater_kind,kind,undoes,ranks,overall,alignment,fidelity,reasons,shown\n' +
  `${image(1)},good,ada,${at},12,1,person,good-bad-skip,,,,,,,\n` +
  `1.png,0,"a ""b"", c",${at},,2,person,,,,,,,,\n` +
  `${image(1)} ${image(2)},ranked,bob,${at},,3,person,ranking,,1 2,,,,,\n`

/** Reads what is foreign, and all its images. */
const foreign = (name: string, read: (file: string, options: ForeignOptions) => Promise<ForeignRecords>) =>
  asFile(name, async (file, folder) => {
    const findFile = filesIn(folder)
    const { images } = await read(file, { name, rater: 'ada', at, findFile })
    for (const { bytes } of [...images.values()].slice(0, 20)) await (typeof bytes === 'function' ? bytes() : bytes)
  })

const parquets = () => {
  const jpeg = Uint8Array.of(255, 216, 255, 1, 2, 3)
  const columns = made.pickColumns(3, jpeg)
  const caption = (pages: made.MadePage[], codec = 0) =>
    made.madeParquet(
      3,
      columns.map((column) => (column.name === 'caption' ? { ...column, codec, pages } : column)),
    )
  const texts = made.plainBytes(['a', 'b', 'c'])
  const packed = gzipSync(texts)
  return [
    made.madeParquet(3, columns),
    caption([made.dictionaryPage(3, texts), made.dataPage(3, 8, [2, 6, 1])]),
    caption([made.dataPage(3, 0, packed, { 2: texts.length })], 2),
    caption([made.dataPage(3, 0, [15, 56, ...texts], { 2: texts.length })], 1),
    caption([made.dataPage(3, 6, [128, 1, 4, 3, 2, 0, 0, 0, 0, 0, 97, 98, 99])]),
    ...['pick-a-pic.parquet', 'pick-a-pic-zstd.parquet'].map((name) => fixture(`formats/${name}`)),
  ]
}

const picture = () => sharp({ create: { width: 9, height: 7, channels: 4, background: '#f008' } })
const pngs = async () => [
  await picture().png().toBuffer(),
  await picture().png({ palette: true }).toBuffer(),
  await picture().withMetadata({ orientation: 6 }).png().toBuffer(),
]
const otherPictures = async () => [
  await picture().jpeg().toBuffer(),
  await picture().withMetadata({ orientation: 6 }).jpeg({ progressive: true }).toBuffer(),
  await picture().webp().toBuffer(),
  await picture().webp({ lossless: true }).toBuffer(),
]

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

const AnyJson = z.looseObject({})
const config = (name: string, file: string, read: (value: Record<string, unknown>) => unknown): Reader => ({
  name,
  form: 'json',
  sound: () => [readFileSync(join(sd1, file))],
  open: asFile('config.json', (_, folder) => read(readConfig(folder, 'config.json', AnyJson))),
})

const job = {
  id: 'job-1',
  stage: 'images generate',
  run: 'round-1',
  purpose: 'round',
  device: 'cpu',
  state: 'done',
  needs: [],
  settings: { seed: 1, prompts: ['a cat'] },
  queuedAt: at,
  startedAt: at,
  finishedAt: null,
  earlierSeconds: 0,
  stopAskedAt: null,
  owner: { pid: 1, host: 'a', began: 'b' },
  error: null,
}
const manifest = {
  schema: 1,
  version: '0.1.0',
  attune: '0.1.0',
  stage: 'images generate',
  startedAt: at,
  finishedAt: at,
  seconds: 1,
  config: {},
  parents: {},
  files: ['images.jsonl', 'images'],
  results: { images: 3 },
}

/** A workspace with one run, of which one file is the input. */
const inRun = (name: string, sound: Uint8Array[], read: (folder: string, library: RunLibrary) => unknown): Reader => ({
  name: `run ${name}`,
  form: name.endsWith('.jsonl') ? 'lines' : 'json',
  sound: () => sound,
  open: (folder) => {
    const workspace = openWorkspace(folder)
    const run = join(folder, 'runs', 'round-1')
    mkdirSync(run, { recursive: true })
    writeFileSync(join(run, 'config.json'), JSON.stringify({ stage: 'images generate', seed: 1 }))
    writeFileSync(join(run, 'manifest.json'), JSON.stringify(manifest))
    return (bytes) => {
      writeFileSync(join(run, name), bytes)
      return read(run, new RunLibrary(workspace))
    }
  },
})

export const readers: readonly Reader[] = [
  {
    name: 'judgments csv',
    form: 'text',
    sound: () => texts(table, table.replaceAll(',', ';'), table.replaceAll('\n', '\r\n')),
    open: async () => {
      const stored = records.map((record) => ({ record: record as never, folder: '.' }))
      const findImage = await imageFinder(stored, [], undefined)
      const defaults = { rater: 'ada', raterKind: 'person', at } as const
      return (bytes) => judgmentsOfCsv('input', textOf(bytes), findImage, defaults)
    },
  },
  {
    name: 'judgments jsonl',
    form: 'lines',
    sound: () => texts(judgments.map((one) => JSON.stringify(one)).join('\n')),
    open: () => (bytes) => judgmentsOfLines('input', textOf(bytes), new Set(records.map(({ id }) => id))),
  },
  { name: 'pick-a-pic', form: 'bytes', sound: parquets, open: foreign('a.parquet', readParquet) },
  {
    name: 'image-reward',
    form: 'json',
    sound: () => json([{ id: '1', prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2] }]),
    open: foreign('a.json', readImageReward),
  },
  {
    name: 'hpdv2',
    form: 'json',
    sound: () =>
      json(
        [{ prompt: 'a cat', image_path: ['a.png', 'b.png'], human_preference: [1, 0] }],
        [{ prompt: 'a cat', image_path: ['a.png', 'b.png', 'c.png'], human_preference: [1, 3, 2], rank: [1, 3, 2] }],
      ),
    open: foreign('a.json', readHpdv2),
  },
  {
    name: 'label-studio',
    form: 'json',
    sound: () =>
      json(
        [
          {
            id: 1,
            data: { prompt: 'a cat', image: '/data/upload/1/0123abcd-a.png' },
            annotations: [
              {
                id: 2,
                completed_by: { id: 1, email: 'a@b.c' },
                created_at: at,
                lead_time: 2.5,
                result: [{ from_name: 'q', to_name: 'image', type: 'choices', value: { choices: ['good'] } }],
              },
            ],
          },
        ],
        [
          {
            id: 1,
            data: { prompt: 'a cat', left: 'a.png', right: 'b.png' },
            annotations: [{ id: 2, result: [{ type: 'pairwise', value: { selected: 'left' } }] }],
          },
        ],
      ),
    open: foreign('a.json', readLabelStudio),
  },
  {
    name: 'd3po',
    form: 'json',
    sound: () => json([[1, 0], [0.5, null]], [1, 2, 3, 4]), // prettier-ignore
    open: (folder) => {
      writeFileSync(join(folder, 'prompt.json'), '["a cat", "a dog"]')
      return foreign('a.json', readD3po)(folder)
    },
  },
  {
    name: 'd3po prompts',
    form: 'json',
    sound: () => json(['a cat', 'a dog']),
    open: (folder) => {
      writeFileSync(join(folder, 'a.json'), '[[1, 0], [0.5, 2]]')
      return asFile('prompt.json', async (_, own) => {
        await readD3po(join(own, 'a.json'), { name: 'a.json', rater: 'ada', at, findFile: filesIn(own) })
      })(folder)
    },
  },
  {
    name: 'prompts text',
    form: 'text',
    sound: () => texts('# some\na red cat\na red circle on a blue table\n\n(a cat:1.2), b\n'),
    open: () => (bytes) => promptList('a.txt', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts csv',
    form: 'text',
    sound: () => texts('id,prompt,category,seed\n1,"a cat, red",color,5\n2,dog,,\n', 'Prompt\tChallenge\na cat\tx\n'),
    open: () => (bytes) => promptList('a.csv', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts jsonl',
    form: 'lines',
    sound: () =>
      texts(
        '{"id":"p1","prompt":"a cat","category":"color","seed":3,"negative_prompt":"dog"}\n{"text":"a red circle"}',
        '{"tag":"two_object","include":[{"class":"cat","count":1}],"prompt":"a cat"}',
      ),
    open: () => (bytes) => promptList('a.jsonl', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts json',
    form: 'json',
    sound: () => json(['a cat', 'a dog'], [{ prompt: 'a cat' }], { '0': { Prompt: 'a cat', Category: 'x' } }),
    open: () => (bytes) => promptList('a.json', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'distractors',
    form: 'lines',
    sound: () => texts('{"prompt":"a cat","distractors":["a dog","two cats"]}\n{"prompt":"b","distractors":["c"]}'),
    open: asFile('a.jsonl', readDistractors),
  },
  { name: 'upload png', form: 'png', sound: pngs, open: () => (bytes) => ownPicture(bytes, 'input') },
  { name: 'upload jpeg webp', form: 'bytes', sound: otherPictures, open: () => (bytes) => ownPicture(bytes, 'input') },
  { name: 'picture of a run', form: 'png', sound: pngs, open: asFile('a.png', readPicture) },
  {
    name: 'training picture',
    form: 'bytes',
    sound: async () => [...(await pngs()), ...(await otherPictures())],
    open: asFile('a.png', (file) =>
      readCroppedPicture(file, { width: 16, height: 16, centerCrop: true, randomFlip: false }, random(1)),
    ),
  },
  {
    name: 'captioned folder jsonl',
    form: 'lines',
    sound: () => texts('{"file_name":"a.png","text":"a cat"}\n{"file_name":"b/c.png","text":"a dog"}'),
    open: asFile('images/metadata.jsonl', (file) => captioned(dirname(file))),
  },
  {
    name: 'captioned folder csv',
    form: 'text',
    sound: () => texts('file_name,text\na.png,"a cat"\nb/c.png,a dog\n'),
    open: asFile('images/metadata.csv', (file) => captioned(dirname(file))),
  },
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
  inRun('images.jsonl', texts(records.map((record) => JSON.stringify(record)).join('\n')), (run) =>
    readImageList(join(run, 'images.jsonl')),
  ),
  inRun('manifest.json', json(manifest), (run, library) => {
    library.all()
    readRun(run)
  }),
  inRun('config.json', json({ stage: 'images generate', seed: 1, prompts: ['a'] }), (_, library) => library.all()),
  inRun('metrics.jsonl', texts('{"step":1,"at":"2026","loss":0.5}\n{"step":2,"loss":0.4}\n'), (run) =>
    metricsOf({ folder: run } as never),
  ),
  {
    name: 'config flag',
    form: 'json',
    sound: () => json({ stage: 'feedback import', feedback: 'a.sqlite', labels: 'a.csv', images: ['a'] }),
    open: asFile('config.json', (file) => parseConfig(ImportConfig, { stage: 'feedback import', file })),
  },
  {
    name: 'job record',
    form: 'json',
    sound: () => json(job),
    open: (folder) => {
      const workspace = openWorkspace(folder)
      mkdirSync(join(folder, 'jobs', 'job-1'), { recursive: true })
      return (bytes) => {
        writeFileSync(join(folder, 'jobs', 'job-1', 'job.json'), bytes)
        readJobs(workspace)
      }
    },
  },
  {
    name: 'multipart form',
    form: 'text',
    sound: () =>
      texts(
        '--b\r\nContent-Disposition: form-data; name="format"\r\n\r\ncsv\r\n--b\r\n' +
          'Content-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--b--\r\n',
      ),
    open: () => async (bytes) => {
      for await (const { content } of partsOf(piecesOf(bytes), 'b')) for await (const _piece of content);
    },
  },
]

async function* piecesOf(bytes: Uint8Array) {
  for (let from = 0; from < bytes.length; from += 7) yield bytes.subarray(from, from + 7)
}

async function captioned(folder: string) {
  mkdirSync(join(folder, 'b'), { recursive: true })
  writeFileSync(join(folder, 'a.png'), '')
  writeFileSync(join(folder, 'b', 'c.png'), '')
  await readCaptionedImages(folder, { imageColumn: 'file_name', captionColumn: 'text' }, new LeftOut('images'))
}
