/** `images generate`: a policy draws K images of each prompt. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { optionalCount, optionalText } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import { writeFiles } from '../files.ts'
import { progress } from '../progress.ts'
import type { GenerativeModel, Sampling } from '../networks/generative-model.ts'
import type { ImageRecord, Prompt } from '../records.ts'
import { resumeField, startRun, writing, type Manifest, type Run } from '../run.ts'
import { sha256, sha256OfFile, sha256OfWeights } from '../sha256.ts'
import { noGrad } from '../tensor/autograd.ts'
import { zeros } from '../tensor/create.ts'
import { alone, gatherFiles, gatherValues, type Group } from '../tensor/group.ts'
import { holdEnd, isEndAsked, stopped } from '../tensor/orderly-end.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asOutOfMemory } from './at-once.ts'
import { decodeStages, drawStages, samplerOf, usesNegatives, type DrawRequest } from './draw.ts'
import { chooseDrawn, drawnAtOnce } from './drawing-memory.ts'
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
  negativePrompt: optionalText.describe(
    'What guidance leads away from, of prompts without a negative prompt of their own; the empty prompt without it. Refused where there is no guidance.',
  ),
  policy: optionalText.describe('Run that trained the policy, or a LoRA file; the pre-trained model without it.'),
  ...loraScaleField,
  ...samplingFields,
  latents: optionalText.describe(
    'File with x_T of every image, as diffusers’ latents=: a safetensors tensor `latents` [images, C, h, w]; of a model of several stages `latents.<stage>` for any of them.',
  ),
  outputLatents: z
    .boolean()
    .default(false)
    .describe('Writes x_0 of every image to latents.safetensors as well, as diffusers’ output_type="latent".'),
  batchSize: optionalCount(4096).describe(
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
 * @param group its processes draw a batch each at a time, and the first one writes them: the images are the same bytes
 * @throws {VocabularyError} names file and line of a prompt that the model cannot read
 * @throws {RunInUseError} the folder holds something else, or is resumed with another model, policy or list of prompts
 * @throws {DivergenceError} a state of an image is not finite
 * @throws {ConfigError} a strength of no policy, a negative prompt where nothing leads away from it
 * @throws {StoppedError} a process of the group was asked to end; the images that were drawn are kept
 */
export async function generateImages(config: GenerateConfig, open: Open, group: Group = alone): Promise<Manifest> {
  const { out, resume, ...settings } = config
  expectScaledPolicy(config)
  const parents = {
    ...(config.prompts === null ? {} : { prompts: config.prompts }),
    ...(config.policy === null ? {} : { policy: config.policy }),
  }
  const [changeable, chosen] = [['batchSize'], ['batchSize']]
  using run = startRun({ folder: out, stage: 'images generate', config: settings, parents, resume, changeable, chosen })
  const opened = await open(config, config.policy)
  const { prompts, results } = await readKnownPrompts(config, opened, { draws: true, negative: config.negativePrompt })
  const { model, policy } = opened
  const sampling = samplingOf(model, config)
  const { name: sampler } = samplerOf(model, sampling)
  const count = imageCount(prompts.length, config.perPrompt)
  const promptOf = (index: number) => prompts[Math.floor(index / config.perPrompt)]
  const negatives = prompts.filter(({ negative }) => negative !== undefined).length
  if (negatives > 0 && !usesNegatives(model, sampling)) {
    if (config.negativePrompt !== null) throw withoutGuidance(model, sampling)
    const reason = 'negative prompts, which are not used: there is no guidance to lead away from them (--guidance)'
    if (group.rank === 0) process.stderr.write(`prompts: ${negatives} with ${reason}\n`)
  }
  const starts = config.latents === null ? undefined : readStarts(config.latents, count, model)
  const inputs = {
    prompts: sha256(JSON.stringify(prompts)),
    model: model.sha256,
    ...(config.policy === null ? {} : { policy: sha256OfWeights(config.policy) }),
    ...(config.latents === null ? {} : { latents: sha256OfFile(config.latents) }),
  }
  run.dependsOn(inputs)

  const room = { stage: 'images generate', device: model.device, group }
  const batchSize = chooseDrawn(run, policy, sampling, count, room)
  const rows = (from: number) => Math.min(batchSize, count - from)
  const draw = (from: number) => {
    const requests = Array.from({ length: rows(from) }, (_, i) => requestOf(promptOf(from + i), from + i, config))
    const own = [...(starts ?? [])].map(([stage, x]) => [stage, x.slice(0, from, from + requests.length)] as const)
    try {
      return drawBatch(policy, requests, sampling, new Map(own))
    } catch (error) {
      throw asOutOfMemory(error, run, room, () => drawnAtOnce(policy, sampling, requests.length, batchSize))
    }
  }
  const places = Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) => batch * batchSize)
  const bar = progress('images', count, 'images')
  const folder =
    group.rank > 0
      ? undefined
      : openFolder(run, model, count, promptOf, { ...inputs, batchSize: String(batchSize) }, config)
  bar.skip(folder?.drawn.size ?? 0)
  run.adopt(folder?.drawn.size ?? 0)
  // Batches are whole, as they were before: sums in another order could move a level.
  const [lacking] = gatherValues(
    group,
    folder === undefined ? [] : places.filter((from) => folder.lacks(from, rows(from))),
  )
  const drawRound = (round: readonly number[]): DrawnRound => {
    using scope = tensorScope()
    const own = round.at(group.rank)
    const { samples, pictures } = own === undefined ? { samples: [], pictures: [] } : draw(own)
    const ends = config.outputLatents ? samples.map((sample) => scope.keep(sample.to('cpu'))) : []
    return { round, ends, pngs: Promise.all(pictures.map(encodePng)) }
  }
  const write = async ({ round, ends: own, pngs }: DrawnRound): Promise<void> => {
    const encoded = await pngs
    using _scope = tensorScope()
    const ends = (config.outputLatents ? model.stages : []).map(({ name, stateShape }, stage) => {
      return [name, group.gather(own.at(stage) ?? zeros([0, ...stateShape]))] as const
    })
    const gathered = gatherFiles(group, encoded)
    let row = 0
    for (const [rank, from] of folder === undefined ? [] : round.entries()) {
      const end = row + rows(from)
      folder?.ends?.write(from, new Map(ends.map(([name, rows]) => [name, rows.slice(0, row, end)])))
      row = end
      const made = Array.from({ length: rows(from) }, (_, i) => [from + i, gathered[rank][i]] as const)
      const fresh = made.filter(([index]) => !folder?.drawn.has(index))
      await folder?.add(
        fresh.map(([index, png]) => [imageRecord(promptOf(index), png, index, config, { ...sampling, sampler }), png]),
      )
      bar.advance(fresh.length)
    }
    for (const end of own) end.dispose()
  }
  // Threads encode the PNGs of a round while the next one is drawn, so it is written then, also where the next one fails.
  let drawn: DrawnRound | undefined
  let isEnding = false
  using _end = holdEnd()
  for (let first = 0; first < lacking.length && !isEnding; first += group.size) {
    const before = drawn
    try {
      drawn = drawRound(lacking.slice(first, first + group.size))
    } finally {
      if (before !== undefined) await write(before)
    }
    isEnding = first + group.size < lacking.length && isEndAsked(group)
  }
  if (drawn !== undefined) await write(drawn)
  if (isEnding) throw stopped(out, 'SIGTERM')
  bar.done()
  folder?.finish(places)
  const { name, sha256: modelSha256 } = model
  const counts = { images: count, prompts: prompts.length, ...results }
  const away = config.negativePrompt === null ? {} : { negativePrompt: config.negativePrompt }
  const how = { ...model.imageSize, ...sampling, ...away }
  return run.finish({ ...counts, model: name, modelSha256, ...how, ...run.changes() })
}

/** A batch of each process: where they begin, and what this process has drawn of them. */
interface DrawnRound {
  readonly round: readonly number[]
  /** x_0 of the stages where it is written as well, on the CPU. */
  readonly ends: readonly Tensor[]
  readonly pngs: Promise<Uint8Array[]>
}

/** The folder of images, as the process that writes it sees it. */
function openFolder(
  run: Run,
  model: GenerativeModel,
  count: number,
  promptOf: (index: number) => Prompt,
  inputs: Readonly<Record<string, string>>,
  config: GenerateConfig,
) {
  const list = run.path(imageListName)
  writing(run.path('images'), () => mkdirSync(run.path('images'), { recursive: true }))
  const drawn = keptImages(list, ({ index, text, file }) => {
    return index < count && text === promptOf(index).text && file === fileOf(index)
  })
  const stageNames = model.stages.map((stage) => stage.name)
  const ends = config.outputLatents
    ? new PartFiles(run.path('latents'), sha256(JSON.stringify([inputs, stageNames])))
    : undefined
  return {
    drawn,
    ends,
    lacks(from: number, rows: number): boolean {
      const isDrawn = Array.from({ length: rows }, (_, i) => drawn.has(from + i)).every(Boolean)
      return !isDrawn || (ends !== undefined && ends.read(from) === undefined)
    },
    async add(images: readonly (readonly [ImageRecord, Uint8Array])[]): Promise<void> {
      await writeFiles(new Map(images.map(([{ file }, png]) => [run.path(file), png])))
      const lines = images.map(([record]) => `${JSON.stringify(record)}\n`).join('')
      writing(list, () => appendFileSync(list, lines, { flush: true }))
      for (const [record] of images) drawn.set(record.index, record)
      run.keep()
    },
    finish(places: readonly number[]): void {
      writeList(list, drawn, readFileSync(list, 'utf8'))
      if (ends === undefined) return
      using _scope = tensorScope()
      writeLatents(run.path(latentsFileName), model, ends.joined(places))
      ends.remove()
    },
  }
}

/** A negative prompt stands in the branch that guidance leads away from, which a distilled network does not have. */
function withoutGuidance(model: GenerativeModel, { guidance }: Sampling): ConfigError {
  const isDistilled = model.stages.every(({ tellGuidance }) => tellGuidance !== undefined)
  return new ConfigError({
    where: '--negative-prompt',
    expected: 'a model that is guided by two predictions, at a scale above 1',
    received: isDistilled ? 'one that is told its guidance as a number' : `--guidance ${guidance}`,
    remedy: isDistilled ? 'leave the negative prompt out' : 'give --guidance 7.5, or leave the negative prompt out',
  })
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

/** What an image is drawn by, and whose change drew it. */
type Drawing = Pick<GenerateConfig, 'seed' | 'perPrompt' | 'policy' | 'loraScale'>

/** The image at an index of a run; see {@link generateImages}. */
export function requestOf(
  { text, seed, negative }: Prompt,
  index: number,
  config: Pick<Drawing, 'seed' | 'perPrompt'>,
): DrawRequest {
  const noise = seed === undefined ? { seed: config.seed, index } : { seed, index: index % config.perPrompt }
  return { text, ...noise, ...(negative !== undefined && { negative }) }
}

/** States and pictures of requests; the states belong to the scope in force. */
function drawBatch(
  policy: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  starts: ReadonlyMap<string, Tensor>,
): { samples: Tensor[]; pictures: Picture[] } {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const samples = drawStages(policy, requests, sampling, starts)
  for (const one of samples) scope.keep(one)
  return { samples, pictures: picturesOf(decodeStages(policy, samples)) }
}

const fileOf = (index: number) => `images/${String(index).padStart(6, '0')}.png`

/** What is known of an image that was drawn. */
export function imageRecord(
  prompt: Prompt,
  png: Uint8Array,
  index: number,
  config: Drawing,
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
    ...(config.loraScale !== 1 && { strength: config.loraScale }),
    sampler,
    steps,
    eta,
    guidance,
  }
}
