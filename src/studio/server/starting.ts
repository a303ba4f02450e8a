/** Starting a stage, and what is to follow it: the whole plan is checked first, and queued at once. */
import { isPolicyStage, stages, takesInput, type FormStage } from '../../stages.ts'
import type { JobOrder } from '../jobs/job-queue.ts'
import type { JobRecord } from '../jobs/job-record.ts'
import { orderOf, runNameFor } from '../jobs/orders.ts'
import { filledIn, formOf, type FormContext } from '../jobs/stage-forms.ts'
import { NewComparison } from '../schemas/comparing.ts'
import type { FollowingStep, SettingValue } from '../schemas/jobs.ts'
import type { Studio } from '../studio.ts'
import { worldOf } from '../worlds.ts'
import { beginComparison } from './compare.ts'
import { notFound, refuse } from './failures.ts'
import { formContext } from './form-context.ts'

type Settings = Readonly<Record<string, SettingValue>>

interface StartOptions {
  /** Name of the run; made from the stage without it. */
  readonly run?: string | undefined
  /** A run of the same stage whose settings, and prompts, it has where others are not given. */
  readonly like?: string | undefined
  /** What follows it, each step on what the steps before it make. */
  readonly then?: readonly FollowingStep[]
}

/**
 * Queues a stage, with what is to follow it: all, or none where one is refused.
 *
 * @throws {ConfigError} a setting that is not accepted
 * @throws {StudioError} something is missing that a stage is made from, or the name is taken
 */
export function startStage(
  studio: Studio,
  stage: FormStage,
  given: Settings,
  { run, like, then = [] }: StartOptions = {},
): Promise<JobRecord> {
  const { queue } = studio
  return queue.inTurn(async () => {
    const context = await formContext(studio)
    const orders: JobOrder[] = [await orderStep(studio, context, [], { stage, settings: given, run, like })]
    const compared = then.findIndex((step) => step.stage === 'compare')
    if (compared >= 0 && compared < then.length - 1) {
      throw refuse(400, 'config', {
        where: 'then',
        expected: 'a comparison as the last step, since people end it',
        received: 'a step behind it',
        remedy: 'put it last, or start that step when people have voted',
      })
    }
    let comparison: NewComparison | undefined
    for (const { stage: next, settings } of then) {
      if (next === 'compare') comparison = await comparisonOf(studio, orders, settings)
      else {
        const step = { stage: next, settings: followingSettings(next, settings, orders) }
        orders.push(await orderStep(studio, context, orders, step))
      }
    }
    const [first] = orders.map((order) => queue.add(order))
    if (comparison !== undefined) await beginComparison(studio, comparison)
    return queue.get(first.id)
  })
}

interface Step {
  readonly stage: FormStage
  readonly settings: Settings
  readonly run?: string | undefined
  readonly like?: string | undefined
}

/** @param before what is queued together with it */
async function orderStep(
  studio: Studio,
  context: FormContext,
  before: readonly JobOrder[],
  { stage, settings: given, run: name, like }: Step,
): Promise<JobOrder> {
  const printed = (await studio.stages())[stage]
  const form = formOf(stage, printed, { ...context, open: [...context.open, ...before] })
  if (form.missing !== null) throw missing(form.title, form.missing)
  const known = new Set([...form.main, ...form.more].map(({ field }) => field))
  const base = like === undefined ? [] : Object.entries(settingsLike(studio, stage, like))
  const settings = filledIn(form, printed, {
    ...Object.fromEntries(base.filter(([field]) => known.has(field))),
    ...given,
  })
  const images = await studio.rounds.asked()
  const run = runNameFor(stage, name, studio.workspace, [...studio.queue.all(), ...before])
  const keepsPrompts = !('prompts' in given) && !('promptCount' in given)
  const promptsLike = like !== undefined && keepsPrompts ? like : null
  return await orderOf(stage, run, settings, { ...studio, images, promptsLike })
}

/** @throws {StudioError} no such run, or one of another stage */
function settingsLike({ table }: Studio, stage: FormStage, like: string): Settings {
  const settings = table.settings(like)
  if (settings === undefined) throw notFound('run')
  const found = table.stageOf(like)
  if (found === stage) return settings
  throw refuse(409, 'wrong-state', {
    where: like,
    expected: `a run of ${stage}`,
    received: `one of ${found}`,
    remedy: 'start a run with the settings of one of the same stage',
  })
}

/** What a step is made from that the steps before it make. */
function followingSettings(stage: FormStage, settings: Settings, before: readonly JobOrder[]): Settings {
  const reward = before.findLast((order) => stages[order.stage].kind === 'reward')?.run
  const policy = policyOf(before)
  return {
    ...(reward !== undefined && takesInput(stage, 'reward') && { reward }),
    ...(policy !== undefined && takesInput(stage, 'policies') && { policies: [policy] }),
    ...(policy !== undefined && stages[stage].kind === 'round' && { policy }),
    ...settings,
  }
}

/** Of the policy that is trained with the pre-trained model, on prompts that were asked about where the model brings none. */
async function comparisonOf(
  { model, rounds }: Studio,
  before: readonly JobOrder[],
  settings: Settings,
): Promise<NewComparison> {
  const policy = policyOf(before)
  if (policy === undefined) throw missing('Compare', 'A comparison follows a policy that is trained.')
  const brings = worldOf(model) !== undefined || 'prompts' in settings
  const asked = brings ? [] : [...new Set((await rounds.asked()).map(({ text }) => text))].slice(0, mostPrompts)
  const given = { ...(asked.length > 0 && { prompts: asked }), ...settings, policies: ['pretrained', policy] }
  const parsed = NewComparison.safeParse(given)
  if (parsed.success && (brings || asked.length > 0)) return parsed.data
  const [issue] = parsed.error?.issues ?? []
  throw refuse(400, 'config', {
    where: `then compare ${issue?.path.map(String).join(' ') ?? 'prompts'}`.trim(),
    expected: issue?.message ?? 'at least one prompt',
    received: issue === undefined ? 'none' : 'another value',
    remedy: 'give prompts to the comparison, or leave it out',
  })
}

/** Of a comparison that nobody has given any. */
const mostPrompts = 16

const policyOf = (orders: readonly JobOrder[]) => orders.findLast((order) => isPolicyStage(order.stage))?.run

const missing = (where: string, remedy: string) =>
  refuse(409, 'missing', { where, expected: 'what it is made from', received: 'a studio without it', remedy })
