/** From a request to a job: the config of its stage, with what the studio sets itself. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { StudioError } from '../../errors.ts'
import type { PromptWorld } from '../../prompts/prompt-world.ts'
import { parsePrompt, categoryOf } from '../../prompts/templates.ts'
import { readPrompts, writePrompts } from '../../prompts/prompt-file.ts'
import { namesForRuns } from '../../report/policy-name.ts'
import { random } from '../../random.ts'
import type { ImageRecord, Prompt } from '../../records.ts'
import { runBase, stages, takesInput, type FormStage, type StageInput } from '../../stages.ts'
import { studioStreams } from '../../streams.ts'
import type { SettingValue } from '../schemas/jobs.ts'
import { freeRunName, isTakenName, runPath, type Workspace } from '../workspace.ts'
import { comparisonPrefix } from '../runs.ts'
import { isReadable, worldOf } from '../worlds.ts'
import { playgroundRound } from '../playground/playground-round.ts'
import { deviceConfig, isDeviceField, requestOf } from './device-fields.ts'
import type { JobOrder, JobQueue } from './job-queue.ts'
import type { JobRecord } from './job-record.ts'
import { ownFields, runFields, standingPrefix } from './stage-plans.ts'

export interface StudioModel {
  /** `shapes`, a folder in diffusers' layout, or owner/name in the Hugging Face cache. */
  readonly model: string
  /** Of rewards; the model's own without it, which shapes alone has. */
  readonly encoder: string | null
}

interface OrderContext extends StudioModel {
  readonly workspace: Workspace
  readonly queue: Pick<JobQueue, 'devices'>
  /** The feedback store as a stage names it. */
  readonly feedback: string
  /** The images that people are asked about. */
  readonly images: readonly ImageRecord[]
  /** A run whose very prompts it is to have. */
  readonly promptsLike?: string | null
}

type Settings = Readonly<Record<string, SettingValue>>

/**
 * The order of a stage; writes the prompt file that it needs.
 *
 * @throws {VocabularyError} a prompt that the model of a closed world cannot read
 * @throws {StudioError} no prompts, and none that could stand in for them; a name that is taken
 */
export async function orderOf(
  stage: FormStage,
  run: string,
  settings: Settings,
  context: OrderContext,
  purpose: JobRecord['purpose'] = stages[stage].kind === 'round' ? 'round' : 'other',
): Promise<JobOrder> {
  const { workspace, model, queue } = context
  const prompts = (await promptsLike(stage, context)) ?? (await promptsOf(stage, settings, context))
  if (prompts !== undefined) await writePrompts(workspace.at('prompts', `${run}.jsonl`), prompts)
  return {
    stage,
    run,
    purpose,
    ...requestOf(settings, { devices: queue.devices, isEmbedded: worldOf(model) !== undefined }),
    needs: Object.keys(runFields).flatMap((field) => namesIn(settings[field])),
    settings,
    config: configOf(stage, run, settings, context),
  }
}

/** The config of a stage from its settings, as `orderOf` made it. */
export function configOf(
  stage: FormStage,
  run: string,
  settings: Settings,
  context: StudioModel & Pick<OrderContext, 'feedback'>,
) {
  const own = ownFields(stage)
  const takes = (input: StageInput) => takesInput(stage, input)
  const plain = Object.entries(settings).flatMap(([field, value]): [string, unknown][] => {
    if (field in own || isDeviceField(field)) return []
    if (!(field in runFields) || value === null || value === 'pretrained')
      return [[field, value === 'pretrained' ? null : value]]
    if (!Array.isArray(value)) return [[field, placeOf(String(value))]]
    const runs = value.map(String)
    const names = field === 'policies' ? namesForRuns(runs) : undefined
    return [[field, runs.map((run, i) => (names === undefined ? runPath(run) : `${names[i]}=${runPath(run)}`))]]
  })
  return {
    ...Object.fromEntries(plain),
    ...(takes('prompts') && { prompts: `prompts/${run}.jsonl` }),
    ...(takes('pairs') && { feedback: context.feedback }),
    ...(takes('judgments') && { feedback: context.feedback, encoder: context.encoder }),
    ...(stages[stage].kind === 'report' && { votes: context.feedback }),
    ...deviceConfig(settings),
    model: context.model,
    out: runPath(run),
  }
}

/** The runs that a setting names. */
const namesIn = (value: SettingValue | undefined): string[] =>
  (Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []).filter(
    (name) => !name.startsWith(standingPrefix),
  )

/** A run, or what stands for itself, as a stage is told it. */
const placeOf = (name: string) => (name.startsWith(standingPrefix) ? name.slice(standingPrefix.length) : runPath(name))

/** What comparisons, imports, uploads and the playground name by themselves; a job that waits must not come to write where one of them does. */
const keptPrefixes = [comparisonPrefix, 'import-', 'upload-', playgroundRound]

/** A name for the run of a stage: the one given, where nothing has it. @throws {StudioError} */
export function runNameFor(
  stage: FormStage,
  given: string | undefined,
  workspace: Workspace,
  jobs: readonly Pick<JobRecord, 'run'>[],
): string {
  const taken = new Set(jobs.map(({ run }) => run))
  if (given === undefined) return freeRunName(workspace, runBase(stage), taken)
  const isKept = keptPrefixes.some((prefix) => given.startsWith(prefix))
  if (!taken.has(given) && !isKept && !isTakenName(workspace, given)) return given
  throw new StudioError(409, 'name-taken', {
    where: 'run',
    expected: `a name that no run has or had, and that does not begin with ${keptPrefixes.join(' or ')}`,
    received: JSON.stringify(given),
    remedy: 'choose another name, or leave it out',
  })
}

/** Those of another run, where it has some that were kept. */
async function promptsLike(
  stage: FormStage,
  { workspace, promptsLike: run }: OrderContext,
): Promise<Prompt[] | undefined> {
  if (run === undefined || run === null || !takesInput(stage, 'prompts')) return undefined
  const file = workspace.at('prompts', `${run}.jsonl`)
  if (existsSync(file)) return await readPrompts(file)
  throw new StudioError(409, 'missing', {
    where: run,
    expected: 'a run whose prompts the studio keeps',
    received: 'one that was made without it',
    remedy: 'give its prompts',
  })
}

async function promptsOf(stage: FormStage, settings: Settings, context: OrderContext): Promise<Prompt[] | undefined> {
  if (!takesInput(stage, 'prompts')) return undefined
  const world = worldOf(context.model)
  if (Array.isArray(settings.prompts)) {
    const prompts = promptsFrom(settings.prompts.map(String), world)
    for (const { text } of prompts) world?.expectReadable(text)
    return prompts
  }
  if (stages[stage].kind === 'round' && world !== undefined) {
    return leastDrawn(world.seen(), Number(settings.promptCount), context.images, Number(settings.seed))
  }
  const readable = context.images.filter(({ text }) => isReadable(text, world))
  const asked = new Map(
    readable.map(({ prompt, text, category, attributes }) => [
      text,
      { id: prompt, text, category, ...(attributes && { attributes }) },
    ]),
  )
  if (asked.size > 0) return uniqueIds([...asked.values()])
  throw new StudioError(400, 'config', {
    where: 'prompts',
    expected: 'at least one prompt',
    received: 'none',
    remedy: 'write some: there is no round yet whose prompts could be used',
  })
}

/** Prompts that a person wrote, each once; what they ask for is read in the words of the model's world, where it has one. */
export function promptsFrom(texts: readonly string[], world: PromptWorld | undefined): Prompt[] {
  return [...new Set(texts.map((text) => text.trim()))].map((text) => {
    const attributes = world && parsePrompt(text, world.vocabulary)
    const id = createHash('sha256').update(text).digest('hex').slice(0, 12)
    return {
      id,
      text,
      category: attributes === undefined ? 'other' : categoryOf(attributes),
      ...(attributes && { attributes }),
    }
  })
}

/** So many prompts of which the fewest images have been drawn, from all categories in turn. */
function leastDrawn(from: readonly Prompt[], count: number, images: readonly ImageRecord[], seed: number): Prompt[] {
  const drawn = new Map<string, number>()
  for (const { text } of images) drawn.set(text, (drawn.get(text) ?? 0) + 1)
  const byCategory = Map.groupBy(random(...studioStreams.round(seed)).shuffle(from), ({ category }) => category)
  const ranks = [...byCategory.values()].flatMap((group) =>
    [...group]
      .sort((a, b) => (drawn.get(a.text) ?? 0) - (drawn.get(b.text) ?? 0))
      .map((prompt, rank) => ({ prompt, rank, drawn: drawn.get(prompt.text) ?? 0 })),
  )
  return ranks
    .sort((a, b) => a.drawn - b.drawn || a.rank - b.rank)
    .slice(0, count)
    .map(({ prompt }) => prompt)
}

/** Rounds of several files may use one id for different texts; a file may not. */
const uniqueIds = (prompts: readonly Prompt[]): Prompt[] => {
  const ids = new Set<string>()
  return prompts.map((prompt) => {
    const id = ids.has(prompt.id) ? `${prompt.id}-${ids.size}` : prompt.id
    ids.add(id)
    return { ...prompt, id }
  })
}
