/** Opens models by their names: the one place that knows them all. Command line, studio and child processes use it. */
import { existsSync } from 'node:fs'
import { ConfigError, FileError } from './errors.ts'
import { imageSizeOf, type ModelConfig, type Open, type OpenModel } from './images/open-model.ts'
import { tellNote } from './notes.ts'
import type { Probe } from './policy/sample-images.ts'
import type { WorldJudge } from './report/evaluate.ts'
import type { ReportWorld } from './report/report-command.ts'
import { scriptBeside } from './script-beside.ts'

/** The embedded model, as diffusion and as flow matching. */
const embeddedNames = ['shapes', 'shapes-flow'] as const
const isEmbedded = (model: string): model is (typeof embeddedNames)[number] =>
  (embeddedNames as readonly string[]).includes(model)

/** See {@link Open}. */
export const open: Open = async (config, policy = null) => {
  const opened = isEmbedded(config.model) ? await openEmbedded(config.model, config) : await openCheckpoint(config)
  if (policy === null) return { ...opened, policy: opened.model }
  const { openChange } = await import('./policy/policy-file.ts')
  return { ...opened, policy: opened.model.with(openChange(opened.model, policy, config).change) }
}

/** The judge of a model's world; only the embedded one has a judge. */
export async function judgeOf(model: string): Promise<WorldJudge | undefined> {
  if (!isEmbedded(model)) return undefined
  const { openShapesJudge } = await import('./shapes/world-judge.ts')
  return openShapesJudge()
}

/** What measures the sample images of a training, for show; only the embedded world has a judge. */
export async function probeOf(model: string): Promise<Probe | undefined> {
  if (!isEmbedded(model)) return undefined
  const { probeAlignment } = await import('./shapes/probe-alignment.ts')
  return probeAlignment
}

/** What `report` needs to know of all models. */
export const reportWorld: ReportWorld = {
  open,
  judgeOf,
  tasksFile: scriptBeside(import.meta.url, './report-tasks'),
  promptsOf: async (model) => {
    if (!isEmbedded(model)) return undefined
    const { seenPrompts, unseenPrompts } = await import('./shapes/split.ts')
    return { seen: seenPrompts, unseen: unseenPrompts }
  },
}

async function openEmbedded(name: (typeof embeddedNames)[number], config: ModelConfig): Promise<OpenModel> {
  const { resolution, mixedPrecision, device, threads } = config
  const { width, height } = imageSizeOf({ resolution }) ?? { width: imageSide, height: imageSide }
  const unsuitable =
    width !== imageSide || height !== imageSide
      ? ['--resolution', String(imageSide), String(resolution)]
      : (mixedPrecision ?? 'no') !== 'no'
        ? ['--mixed-precision', 'no', String(mixedPrecision)]
        : (device ?? 'cpu') !== 'cpu'
          ? ['--device', 'cpu', String(device)]
          : ofCheckpoints
              .map(([field, flag]) => [flag, 'nothing', String(config[field] ?? '')])
              .find(([, , given]) => given)
  if (unsuitable !== undefined) {
    const [where, expected, received] = unsuitable
    throw new ConfigError({
      where,
      expected: `${expected} for ${name}`,
      received,
      remedy: 'leave it out, or give a real checkpoint with --model',
    })
  }
  const { useThreads } = await import('./tensor/library.ts')
  const { openShapes } = await import('./shapes/open.ts')
  useThreads(threads ?? 1)
  return openShapes(name)
}
const imageSide = 24
const ofCheckpoints = [
  ['vae', '--vae'],
  ['predictionType', '--prediction-type'],
  ['modelConfig', '--model-config'],
] as const

async function openCheckpoint(config: ModelConfig): Promise<OpenModel> {
  if (!config.model.includes('/') && !existsSync(config.model)) {
    throw new FileError({
      where: '--model',
      expected: `${embeddedNames.join(', ')}, a folder in diffusers’ layout, a .safetensors file, or owner/name in the Hugging Face cache`,
      received: config.model,
      remedy: 'check the name',
    })
  }
  const { placementOf } = await import('./images/placement.ts')
  const { openStableDiffusion } = await import('./networks/stable-diffusion/open.ts')
  const { model, notes } = openStableDiffusion(config.model, {
    ...placementOf(config),
    imageSize: imageSizeOf(config),
    tiling: config.vaeTiling,
    checkpoint: config,
  })
  for (const note of notes) tellNote(note)
  return { model }
}
