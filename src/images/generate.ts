/** `images generate`: a policy draws K images of each prompt. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { progress } from '../progress.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import type { ImageRecord, Prompt } from '../records.ts'
import { resumeField, startRun, writing, type Manifest } from '../run.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { drawStates, type DrawRequest, type Sampling } from './draw.ts'
import { imageListName, readImageList } from './image-run.ts'
import { promptFields, readKnownPrompts } from './known-prompts.ts'
import { loraScaleField, modelFields, samplingFields, samplingOf, type Open } from './open-model.ts'
import { latentsFileName, LatentsFile, readStarts } from './latents-file.ts'
import { encodePng, picturesOf, type Picture } from './png.ts'

export const GenerateConfig = z.strictObject({
  ...promptFields,
  perPrompt: z.int().positive().default(4).describe('Images of each prompt.'),
  seed: z.int().nonnegative().default(0).describe('The noise of an image is a function of the seed and its index.'),
  policy: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Run that trained the policy, or a LoRA file; the pre-trained model without it.'),
  ...loraScaleField,
  ...samplingFields,
  latents: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'File with x_T of every image, as diffusers’ latents=: a safetensors tensor `latents` [images, C, h, w].',
    ),
  outputLatents: z
    .boolean()
    .default(false)
    .describe('Writes x_0 of every image to latents.safetensors as well, as diffusers’ output_type="latent".'),
  batchSize: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Images drawn at once, the model’s own number without it; changes the speed, and the images by no more than rounding (one level of 255 here and there).',
    ),
  ...modelFields,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type GenerateConfig = z.infer<typeof GenerateConfig>

/**
 * Draws `perPrompt` images of each prompt into a run folder. Image k of prompt p has index p · K + k and its noise is a
 * function of (seed, index), so images do not depend on batches or on resuming.
 *
 * @throws {VocabularyError} names file and line of a prompt that the model cannot read
 * @throws {RunInUseError} the folder holds something else
 * @throws {ConfigError} a strength of no policy
 */
export async function generateImages(config: GenerateConfig, open: Open): Promise<Manifest> {
  const { out, resume, ...settings } = config
  if (config.loraScale !== 1 && config.policy === null) {
    const remedy = 'give the run or the LoRA file whose strength it is, or leave it out'
    throw new ConfigError({ where: '--lora-scale', expected: 'a --policy', received: 'none', remedy })
  }
  const parents = {
    ...(config.prompts === null ? {} : { prompts: config.prompts }),
    ...(config.policy === null ? {} : { policy: config.policy }),
  }
  using run = startRun({ folder: out, stage: 'images generate', config: settings, parents, resume })
  const opened = await open(config, config.policy)
  const { prompts, results } = await readKnownPrompts(config, opened, { draws: true })
  const sampling = samplingOf(opened.model, config)
  const list = run.path(imageListName)
  writing(run.path('images'), () => mkdirSync(run.path('images'), { recursive: true }))

  const wanted = prompts.flatMap((prompt) => new Array<Prompt>(config.perPrompt).fill(prompt))
  const batchSize = config.batchSize ?? opened.model.defaults.batchSize
  const done = run.resumed ? dropTornLine(list) : 0
  const starts = config.latents === null ? undefined : readStarts(config.latents, wanted.length, opened.model)
  const ends = config.outputLatents ? new LatentsFile(run.path(latentsFileName), done) : undefined
  const bar = progress('images', wanted.length, 'images')
  bar.skip(done)
  for (let from = done; from < wanted.length; from += batchSize) {
    const batch = wanted.slice(from, from + batchSize)
    const requests = batch.map(({ text }, i) => ({ text, seed: config.seed, index: from + i }))
    const files = await Promise.all(drawBatch(opened.policy, requests, sampling, starts, ends).map(encodePng))
    const records = files.map((png, i) => imageRecord(batch[i], png, from + i, config, sampling))
    writing(list, () => {
      records.forEach(({ file }, i) => writeFileSync(run.path(file), files[i]))
      appendFileSync(list, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
    })
    bar.advance(batch.length)
  }
  bar.done()
  const { name, sha256 } = opened.model
  const counts = { images: wanted.length, prompts: prompts.length, ...results }
  return run.finish({ ...counts, model: name, modelSha256: sha256, ...sampling })
}

/** Pictures of consecutive requests; the places of `starts` are the indices of the requests. */
function drawBatch(
  policy: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  starts: Tensor | undefined,
  ends: LatentsFile | undefined,
): Picture[] {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const [{ index }] = requests
  const x0 = drawStates(policy, requests, sampling, starts?.slice(0, index, index + requests.length))
  ends?.append(x0)
  return picturesOf(policy.decode(x0))
}

function imageRecord(
  prompt: Prompt,
  png: Uint8Array,
  index: number,
  { seed, policy }: GenerateConfig,
  { steps, eta, guidance }: Sampling,
): ImageRecord {
  return {
    id: createHash('sha256').update(`${prompt.text}\0`).update(png).digest('hex').slice(0, 16),
    prompt: prompt.id,
    text: prompt.text,
    category: prompt.category,
    ...(prompt.attributes === undefined ? {} : { attributes: prompt.attributes }),
    file: `images/${String(index).padStart(6, '0')}.png`,
    sha256: createHash('sha256').update(png).digest('hex'),
    seed,
    index,
    policy: policy ?? 'pretrained',
    sampler: 'ddim',
    steps,
    eta,
    guidance,
  }
}

/** How many images a killed run has listed; half a line at the end of its list is cut off. */
function dropTornLine(list: string): number {
  if (!existsSync(list)) return 0
  const bytes = readFileSync(list)
  writing(list, () => truncateSync(list, bytes.lastIndexOf(10) + 1))
  return readImageList(list).length
}
