/** `images generate`: a policy draws K images of each prompt. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { writeFiles } from '../files.ts'
import { progress } from '../progress.ts'
import type { GenerativeModel, Sampling } from '../networks/generative-model.ts'
import type { ImageRecord, Prompt } from '../records.ts'
import { resumeField, startRun, writing, type Manifest } from '../run.ts'
import { sha256, sha256OfFile, sha256OfWeights } from '../sha256.ts'
import { noGrad } from '../tensor/autograd.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { decodeStages, drawStages, samplerOf, usesNegatives, type DrawRequest } from './draw.ts'
import { imageListName } from './image-run.ts'
import { keptImages, writeList } from './kept-images.ts'
import { promptFields, readKnownPrompts } from './known-prompts.ts'
import { expectScaledPolicy, loraScaleField, modelFields, samplingFields, samplingOf, type Open } from './open-model.ts'
import { latentsFileName, readStarts, writeLatents } from './latents-file.ts'
import { encodePng, picturesOf, type Picture } from './png.ts'

/** Settings of `images generate`. */
export const GenerateConfig = z.strictObject({
  ...promptFields,
  perPrompt: z
    .int()
    .positive()
    .max(100_000)
    .default(4)
    .describe('Images of each prompt; a run numbers a million at most.'),
  seed: z
    .int()
    .nonnegative()
    .default(0)
    .describe(
      'The noise of an image is a function of the seed and its index; prompts of a .jsonl may have a "seed" of their own.',
    ),
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
      'File with x_T of every image, as diffusers’ latents=: a safetensors tensor `latents` [images, C, h, w]; of a model of several stages `latents.<stage>` for any of them.',
    ),
  outputLatents: z
    .boolean()
    .default(false)
    .describe('Writes x_0 of every image to latents.safetensors as well, as diffusers’ output_type="latent".'),
  batchSize: z
    .int()
    .positive()
    .max(4096)
    .nullable()
    .default(null)
    .describe(
      'Images drawn at once, all of them in memory; the model’s own number without it. It changes the speed, and the images by no more than rounding (one level of 255 here and there).',
    ),
  ...modelFields,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type GenerateConfig = z.infer<typeof GenerateConfig>

/**
 * Draws `perPrompt` images of each prompt into a run folder. Image k of prompt p has index p · K + k and its noise is a
 * function of (seed, index), so images do not depend on batches or on resuming. That of a prompt with a seed of its own is
 * a function of (its seed, k), wherever it stands in the file. A batch is on the disk before the list
 * names it.
 *
 * @throws {VocabularyError} names file and line of a prompt that the model cannot read
 * @throws {RunInUseError} the folder holds something else, or is resumed with another model, policy or list of prompts
 * @throws {DivergenceError} a state of an image is not finite
 * @throws {ConfigError} a strength of no policy
 */
export async function generateImages(config: GenerateConfig, open: Open): Promise<Manifest> {
  const { out, resume, ...settings } = config
  expectScaledPolicy(config)
  const parents = {
    ...(config.prompts === null ? {} : { prompts: config.prompts }),
    ...(config.policy === null ? {} : { policy: config.policy }),
  }
  using run = startRun({ folder: out, stage: 'images generate', config: settings, parents, resume })
  const opened = await open(config, config.policy)
  const { prompts, results } = await readKnownPrompts(config, opened, { draws: true })
  const { model, policy } = opened
  const sampling = samplingOf(model, config)
  const { name: sampler } = samplerOf(model, sampling)
  const count = imageCount(prompts.length, config.perPrompt)
  const promptOf = (index: number) => prompts[Math.floor(index / config.perPrompt)]
  const negatives = prompts.filter(({ negative }) => negative !== undefined).length
  if (negatives > 0 && !usesNegatives(model, sampling)) {
    const reason = 'negative prompts, which are not used: there is no guidance to lead away from them (--guidance)'
    process.stderr.write(`prompts: ${negatives} with ${reason}\n`)
  }
  const starts = config.latents === null ? undefined : readStarts(config.latents, count, model)
  const inputs = {
    prompts: sha256(JSON.stringify(prompts)),
    model: model.sha256,
    ...(config.policy === null ? {} : { policy: sha256OfWeights(config.policy) }),
    ...(config.latents === null ? {} : { latents: sha256OfFile(config.latents) }),
  }
  run.dependsOn(inputs)

  const list = run.path(imageListName)
  writing(run.path('images'), () => mkdirSync(run.path('images'), { recursive: true }))
  const drawn = keptImages(list, ({ index, text, file }) => {
    return index < count && text === promptOf(index).text && file === fileOf(index)
  })
  const stageNames = model.stages.map((stage) => stage.name)
  const ends = config.outputLatents
    ? new PartFiles(run.path('latents'), sha256(JSON.stringify([inputs, stageNames])))
    : undefined
  const batchSize = config.batchSize ?? model.defaults.batchSize
  const bar = progress('images', count, 'images')
  bar.skip(drawn.size)
  for (let from = 0; from < count; from += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => from + i)
    const lacking = indices.filter((index) => !drawn.has(index))
    if (lacking.length === 0 && (ends === undefined || ends.read(from) !== undefined)) continue
    // The whole batch, as it was before: sums in another order could move a level.
    const requests = indices.map((index) => requestOf(promptOf(index), index, config))
    const pictures = drawBatch(policy, from, requests, sampling, starts, ends)
    const pngs = await Promise.all(lacking.map((index) => encodePng(pictures[index - from])))
    const records = lacking.map((index, i) =>
      imageRecord(promptOf(index), pngs[i], index, config, { ...sampling, sampler }),
    )
    await writeFiles(new Map(records.map(({ file }, i) => [run.path(file), pngs[i]])))
    writing(list, () =>
      appendFileSync(list, records.map((record) => `${JSON.stringify(record)}\n`).join(''), { flush: true }),
    )
    for (const record of records) drawn.set(record.index, record)
    run.keep()
    bar.advance(lacking.length)
  }
  bar.done()
  writeList(list, drawn, readFileSync(list, 'utf8'))
  if (ends !== undefined) {
    const places = Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) => batch * batchSize)
    using _scope = tensorScope()
    writeLatents(run.path(latentsFileName), model, ends.joined(places))
    ends.remove()
  }
  const { name, sha256: modelSha256 } = model
  const counts = { images: count, prompts: prompts.length, ...results }
  return run.finish({ ...counts, model: name, modelSha256, ...model.imageSize, ...sampling })
}

/** @throws {ConfigError} more than a run numbers */
function imageCount(prompts: number, perPrompt: number): number {
  const count = prompts * perPrompt
  if (count <= mostImages) return count
  throw new ConfigError({
    where: '--per-prompt',
    expected: `at most ${mostImages} images in all, which a run numbers by six digits`,
    received: `${prompts} prompts of ${perPrompt} images`,
    remedy: 'draw fewer, or several runs with seeds of their own',
  })
}
const mostImages = 1e6

function requestOf({ text, seed, negative }: Prompt, index: number, config: GenerateConfig): DrawRequest {
  const noise = seed === undefined ? { seed: config.seed, index } : { seed, index: index % config.perPrompt }
  return { text, ...noise, ...(negative !== undefined && { negative }) }
}

/** Pictures of requests for the images from index `from` on, which are their places in `starts` as well. */
function drawBatch(
  policy: GenerativeModel,
  from: number,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  starts: ReadonlyMap<string, Tensor> | undefined,
  ends: PartFiles | undefined,
): Picture[] {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const own = [...(starts ?? [])].map(([stage, x]) => [stage, x.slice(0, from, from + requests.length)] as const)
  const samples = drawStages(policy, requests, sampling, new Map(own))
  ends?.write(from, new Map(policy.stages.map(({ name }, place) => [name, samples[place].to('cpu')])))
  return picturesOf(decodeStages(policy, samples))
}

const fileOf = (index: number) => `images/${String(index).padStart(6, '0')}.png`

function imageRecord(
  prompt: Prompt,
  png: Uint8Array,
  index: number,
  config: GenerateConfig,
  { sampler, steps, eta, guidance }: Sampling & Pick<ImageRecord, 'sampler'>,
): ImageRecord {
  return {
    id: sha256(`${prompt.text}\0`, png).slice(0, 16),
    prompt: prompt.id,
    text: prompt.text,
    category: prompt.category,
    ...(prompt.attributes === undefined ? {} : { attributes: prompt.attributes }),
    file: fileOf(index),
    sha256: sha256(png),
    seed: prompt.seed ?? config.seed,
    index,
    ...(prompt.seed !== undefined && { draw: index % config.perPrompt }),
    ...(prompt.negative !== undefined && { negative: prompt.negative }),
    policy: config.policy ?? 'pretrained',
    sampler,
    steps,
    eta,
    guidance,
  }
}
