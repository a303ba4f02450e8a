/** Opens models by their names: the one place that knows them all. Command line, studio and child processes use it. */
import { FileError } from './errors.ts'
import type { ModelFamily, Open } from './images/open-model.ts'
import type { InspectConfig } from './networks/inspect-model.ts'
import type { Probe } from './policy/sample-images.ts'
import type { WorldJudge } from './report/evaluate.ts'
import type { JudgedWorld } from './report/judged-world.ts'
import type { ReportWorld } from './report/make-report.ts'
import { scriptBeside } from './script-beside.ts'

type Family = ModelFamily & { readonly world?: JudgedWorld }

/** The first that claims a name opens it. The last takes every checkpoint that no other one knows, and says what it lacks. */
const families: readonly (() => Promise<{ family: Family }>)[] = [
  () => import('./shapes/family.ts'),
  () => import('./networks/stable-diffusion/family.ts'),
]

async function familyOf(model: string): Promise<Family | undefined> {
  for (const load of families) {
    const { family } = await load()
    if (family.claims(model)) return family
  }
  return undefined
}

/** See {@link Open}. */
export const open: Open = async (config, policy = null) => {
  const family = (await familyOf(config.model)) ?? (await noFamily(config.model))
  const opened = await family.open(config)
  if (policy === null) return { ...opened, policy: opened.model }
  const { openChange } = await import('./policy/policy-file.ts')
  return { ...opened, policy: opened.model.with(openChange(opened.model, policy, config).change) }
}

/** What `model inspect` tells. @throws {FileError | FormatError | ConfigError} what is missing or does not fit */
export async function inspect(config: InspectConfig): Promise<string> {
  const family = await familyOf(config.model)
  if (family?.inspect !== undefined) return family.inspect(config)
  const { inspectModel } = await import('./networks/inspect-model.ts')
  return inspectModel(config)
}

async function noFamily(model: string): Promise<never> {
  const all = await Promise.all(families.map((load) => load()))
  throw new FileError({
    where: '--model',
    expected: all.map(({ family }) => family.accepts).join(', '),
    received: model,
    remedy: 'check the name',
  })
}

const worldOf = async (model: string): Promise<JudgedWorld | undefined> => (await familyOf(model))?.world

/** The judge of a model's world, where it has one. */
export const judgeOf = async (model: string): Promise<WorldJudge | undefined> => (await worldOf(model))?.judge()

/** What measures the sample images of a training, for show, where the model's world has a judge. */
export const probeOf = async (model: string): Promise<Probe | undefined> => (await worldOf(model))?.probe()

/** What `report` needs to know of all models. */
export const reportWorld: ReportWorld = {
  open,
  worldOf,
  tasksFile: scriptBeside(import.meta.url, './report-tasks'),
}
