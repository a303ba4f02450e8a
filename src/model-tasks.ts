/** What a process executes that works on models for the studio. It opens models by name, so it stands beside the command line. */
import { chdir } from 'node:process'
import { AttuneError, errorOf } from './errors.ts'
import { serveLimited } from './limited-process.ts'
import type { MemoryPresets } from './policy/preset-request.ts'
import type { InspectionResult, LoraResult, ModelTask, OfferResult } from './studio/models/model-tasks.ts'

// What one task needs takes longer to load than the task takes.
type Result = string | InspectionResult | LoraResult | OfferResult | MemoryPresets
serveLimited(async ({ folder, ...task }: ModelTask): Promise<Result> => {
  chdir(folder)
  switch (task.kind) {
    case 'export': {
      const [{ exportPolicy, PolicyExportConfig }, { open }] = await Promise.all([
        import('./publish/export-policy.ts'),
        import('./open.ts'),
      ])
      const { policy, form, out } = task
      return await exportPolicy(PolicyExportConfig.parse({ policy, form, out }), open)
    }
    case 'inspect':
      return await inspected(task.model)
    case 'lora':
      return await loraOf(task)
    case 'offer': {
      const { offerOf } = await import('./networks/checkpoint/fetch-model.ts')
      const { licenceIn } = await import('./publish/licence.ts')
      const { card, ...offer } = await offerOf(task)
      return { ...offer, licence: card === undefined ? null : licenceIn(card) }
    }
    case 'presets':
      return await (await import('./policy/memory-presets.ts')).memoryPresets(task.request)
  }
})

async function inspected(model: string): Promise<InspectionResult> {
  const [{ inspect }, { licenceOf }] = await Promise.all([import('./open.ts'), import('./publish/licence.ts')])
  const licence = licenceOf(model)
  try {
    return {
      rows: rowsOf(await inspect({ model, vae: null, predictionType: null, modelConfig: null })),
      error: null,
      licence,
    }
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error
    return { rows: [], error: `${error.where}: expected ${error.expected}, received ${error.received}`, licence }
  }
}

/** A label, at least two spaces, and what is said. */
const rowsOf = (text: string) =>
  text.split('\n').map((line): [string, string] => {
    const [, label = '', value = line] = /^(.*?)(?: {2,}|$)(.*)$/.exec(line) ?? []
    return [label.trim(), value.trim()]
  })

async function loraOf({ file, name, model }: Readonly<Record<'file' | 'name' | 'model', string>>): Promise<LoraResult> {
  const { readLora } = await import('./networks/checkpoint/lora-file.ts')
  const { tensorScope } = await import('./tensor/scope.ts')
  using _scope = tensorScope()
  const targets = await shapesOf(model)
  try {
    const { adapters, form, metadata } = readLora(file, targets, model)
    const ranks = new Set([...adapters.values()].map(({ down }) => down.shape[0]))
    const trainedOn = metadata['attune.model'] ?? metadata.ss_base_model_version ?? null
    return { layers: adapters.size, rank: ranks.size === 1 ? [...ranks][0] : null, form, trainedOn }
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error
    // It lies under another name while it is looked at.
    const told = (text: string) => text.replaceAll(file, name)
    const { code, where, expected, received, remedy } = error
    throw errorOf(code, {
      ...{ where: told(where), expected: told(expected), received: told(received), remedy: told(remedy) },
    })
  }
}

/** Shapes of the weights that a LoRA can change, from headers alone where they are in files. */
async function shapesOf(model: string): Promise<Map<string, readonly number[]>> {
  const { shapesWorld } = await import('./shapes/world.ts')
  if (shapesWorld.models.includes(model)) {
    const { openShapes } = await import('./shapes/open.ts')
    const opened = await openShapes()
    return new Map([...opened.model.weights.tensors()].map(([name, { shape }]) => [name, shape]))
  }
  const { checkCheckpoint } = await import('./networks/stable-diffusion/checkpoint.ts')
  const { unet, towers } = checkCheckpoint(model)
  return new Map(
    [{ name: 'unet', network: unet.network }, ...towers].flatMap(({ name, network }) =>
      [...network.shapes].map(([key, shape]) => [`${name}.${key}`, shape] as const),
    ),
  )
}
