/** Stages as forms, and what a filled-in form says. */
import { z } from 'zod'
import { nearest } from '../../config.ts'
import { ConfigError } from '../../errors.ts'
import { factsOf, stages, stageTitle, takesInput, type FormStage, type RunKind, type StageInput } from '../../stages.ts'
import { groupOf } from '../../setting-groups.ts'
import { settingTitle } from '../../setting-words.ts'
import type { FormField, SettingValue, StageForm } from '../schemas/jobs.ts'
import { comparisonPrefix, type RunLibrary } from '../runs.ts'
import { runNameOf } from '../workspace.ts'
import { estimateOf } from './estimate.ts'
import { deviceFieldNames, deviceFields, usableDevices, type DeviceContext } from './device-fields.ts'
import {
  hiddenFields,
  mainFields,
  ownFields,
  runFields,
  runSentences,
  standingPrefix,
  type OwnField,
} from './stage-plans.ts'
import type { PrintedStage, Property } from './stage-schemas.ts'

export interface FormContext extends DeviceContext {
  readonly model: string
  readonly runs: RunLibrary
  /** LoRA files that somebody has brought, as a stage names them: `loras/mine.safetensors`. */
  readonly loras: readonly string[]
  /** Jobs that wait or run: what they make may be chosen already, and the job that needs it waits for it. */
  readonly open: readonly { readonly run: string; readonly stage: FormStage }[]
  /** Images with an answer of the kind; what stands between a user and a reward. */
  readonly good: number
  readonly bad: number
  readonly compared: number
  /** In which people preferred one image, by whatever they said. */
  readonly pairs: number
  /** The policy to go on from; null: the pre-trained model. */
  readonly base: string | null
  /** A seed that no round has used. */
  readonly nextSeed: number
}

/** The form of a stage, with the runs there are to choose from. */
export function formOf(stage: FormStage, printed: PrintedStage, context: FormContext): StageForm {
  const { kind, sentence } = stages[stage]
  const fields = fieldsOf(stage, printed, context)
  if (kind === 'round') {
    const seed = fields.findIndex(({ field }) => field === 'seed')
    fields[seed] = { ...fields[seed], default: context.nextSeed }
  }
  const chosen = usableDevices(context).length > 1 ? deviceFieldNames : []
  const main = [...mainFields(stage), ...chosen].flatMap((name) => fields.find(({ field }) => field === name) ?? [])
  return {
    stage,
    title: stageTitle(stage),
    sentence,
    missing: missingFor(stage, printed, context),
    estimate: estimateOf(stage, context.runs.all(), context),
    main,
    more: fields.filter((field) => !main.includes(field)),
  }
}

/**
 * The settings of a filled-in form: those given, checked, and the form's defaults for the others.
 *
 * @throws {ConfigError} an unknown setting, a value that is not accepted, or none where one is needed
 */
export function filledIn(
  form: StageForm,
  printed: PrintedStage,
  given: Readonly<Record<string, SettingValue>>,
): Record<string, SettingValue> {
  const fields = [...form.main, ...form.more]
  for (const name of Object.keys(given)) {
    if (fields.some(({ field }) => field === name)) continue
    const near = nearest(
      name,
      fields.map(({ field }) => field),
    )
    throw new ConfigError({
      where: 'settings',
      expected: `a setting of ${form.stage}`,
      received: JSON.stringify(name.slice(0, 80)),
      remedy: near === undefined ? 'leave it out' : `did you mean ${near}?`,
    })
  }
  return Object.fromEntries(fields.map((field) => [field.field, checkedValue(field, printed, given[field.field])]))
}

function checkedValue(field: FormField, printed: PrintedStage, given: SettingValue | undefined): SettingValue {
  const value = given === undefined ? field.default : given
  if (isAccepted(field, printed, value)) return value
  throw new ConfigError({
    where: field.label,
    expected: field.expected,
    received: value === null ? 'nothing' : JSON.stringify(value).slice(0, 200),
    remedy: field.sentence || 'choose another value',
  })
}

const TextList = z.array(z.string().trim().min(1).max(10_000)).min(1).max(500)

function isAccepted(
  { field, type, optional, choices, min, max }: FormField,
  printed: PrintedStage,
  value: SettingValue,
) {
  if (value === null) return optional
  const isChoice = (one: unknown) => choices.some((choice) => choice.value === one)
  if (type === 'run' || type === 'choice') return isChoice(value)
  if (type === 'choices' && isChoice(value)) return true
  if (type === 'runs' || type === 'choices') {
    return Array.isArray(value) && value.length > 0 && value.every(isChoice) && new Set(value).size === value.length
  }
  const property = printed.schema.properties[field]
  if (type === 'list' && (property === undefined || property.type !== 'array')) return TextList.safeParse(value).success
  if (property === undefined)
    return Number.isInteger(value) && Number(value) >= (min ?? 0) && Number(value) <= (max ?? 1e9)
  return z.fromJSONSchema(property as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success
}

/** The embedded model brings images of its pre-training; a form names none. */
const checkpointDefaults = { pretrainingWeight: 0 }

function fieldsOf(stage: FormStage, { flags, schema }: PrintedStage, context: FormContext): FormField[] {
  const defaults: Readonly<Record<string, SettingValue>> = context.isEmbedded
    ? stages[stage].form.embeddedDefaults
    : checkpointDefaults
  const ofStudio = ownFields(stage)
  const own = Object.entries(ofStudio).map(([field, one]) => ownField(field, one))
  const ofFlags = flags
    .filter(({ field }) => !hiddenFields.has(field) && !Object.hasOwn(ofStudio, field) && field !== 'device')
    .map((flag): FormField => {
      const property = schema.properties[flag.field]
      const isOptional = acceptsNull(property)
      const [variant] = variantsOf(property)
      const kind = Object.hasOwn(runFields, flag.field) ? runFields[flag.field] : undefined
      const fitting =
        kind === undefined
          ? []
          : [...fittingRuns(kind, context), ...broughtLoras(flag.field, context), ...standingNames(variant)]
      const isList = flag.type === 'list'
      return {
        field: flag.field,
        label: settingTitle(flag.field),
        group: groupOf(flag.field, isOptional),
        type: kind === undefined ? typeOf(variant) : isList ? 'runs' : 'run',
        sentence: runSentences[flag.field] ?? flag.sentence,
        expected:
          kind === undefined
            ? flag.expected
            : `${isList ? 'some of the list, each once' : 'one of the list'}${isOptional ? ', or nothing' : ''}`,
        default:
          kind === undefined
            ? (defaults[flag.field] ?? shownDefault(flag.default))
            : defaultRun(
                flag.field,
                isList,
                isOptional,
                fitting.filter(({ isArchived }) => isArchived !== true),
                context.base,
              ),
        optional: isOptional,
        min: variant.minimum ?? variant.exclusiveMinimum ?? null,
        max: variant.maximum === Number.MAX_SAFE_INTEGER ? null : (variant.maximum ?? variant.exclusiveMaximum ?? null),
        choices: kind === undefined ? enumChoices(variant) : fitting.map(({ name, label }) => ({ value: name, label })),
      }
    })
  return [...own, ...deviceFields(factsOf(stage)?.isShared === true, context), ...ofFlags]
}

const ownField = (field: string, { max, ...one }: OwnField): FormField => ({
  field,
  label: settingTitle(field),
  group: groupOf(field, one.default === null),
  ...one,
  optional: one.default === null,
  min: one.type === 'integer' ? 1 : null,
  max: max ?? null,
  choices: [],
})

interface FittingRun {
  /** It can be chosen, and is nobody's default. */
  readonly isArchived?: true
  readonly name: string
  readonly label: string
  /** None of what is no run, but stands for itself. */
  readonly stage?: string
}

const standingNames = ({ examples = [] }: Property): FittingRun[] =>
  examples.map((name) => ({ name: standingPrefix + name, label: name }))

/** What a policy can be besides a run: drawn with, and trained further from. */
const broughtLoras = (field: string, { loras }: FormContext): FittingRun[] =>
  field === 'policy' ? loras.map((file) => ({ name: standingPrefix + file, label: runNameOf(file) })) : []

/** Finished ones, the newest first, then those that are being made, and archived ones last. */
function fittingRuns(kind: RunKind, { runs, open }: FormContext): FittingRun[] {
  const coming = open.filter(({ stage, run }) => stages[stage].kind === kind && !run.startsWith(comparisonPrefix))
  const made = runs.everyOfKind(kind).reverse()
  const [archived, current] = [true, false].map((isWanted) => made.filter(({ name }) => runs.isArchived(name) === isWanted)) // prettier-ignore
  return [
    ...current.map(({ name, manifest: { stage } }) => ({ name, label: name, stage })),
    ...coming.map(({ run, stage }) => ({ name: run, label: `${run} (being made)`, stage })),
    ...archived.map(({ name, manifest: { stage } }) => ({ name, label: `${name} (archived)`, stage, isArchived: true as const })), // prettier-ignore
  ]
}

/**
 * The newest; all rounds; of policies to compare the newest of each algorithm, the very newest last; the policy to go on from,
 * as Home has it. Where a held-out reward is needed, what nobody's judgments have formed.
 */
function defaultRun(
  field: string,
  isList: boolean,
  isOptional: boolean,
  fitting: readonly FittingRun[],
  base: string | null,
): SettingValue {
  if (field === 'policies') {
    const isNewest = ({ stage }: FittingRun, place: number) => fitting.findIndex((run) => run.stage === stage) === place
    return fitting
      .filter(isNewest)
      .map(({ name }) => name)
      .reverse()
  }
  if (isList) return fitting.map(({ name }) => name)
  if (field === 'heldOutReward' && !isOptional) {
    // The newest reward is what is trained on.
    const standing = fitting.find(({ stage }) => stage === undefined)
    return (standing ?? fitting[1])?.name ?? null
  }
  if (field === 'policy') return base
  return ['scorer', 'heldOutReward'].includes(field) ? null : (fitting[0]?.name ?? null)
}

/** What is to be done first, in the order of the flow. */
function missingFor(stage: FormStage, { schema }: PrintedStage, context: FormContext): string | null {
  const { good, bad, compared, pairs } = context
  const needs = (input: StageInput) => takesInput(stage, input)
  const has = (kind: RunKind) => fittingRuns(kind, context).length > 0
  const isJudged = (good > 0 && bad > 0) || compared > 0 || pairs > 0
  if (needs('images') && !has('round')) return 'Draw images first.'
  if (needs('judgments') && !isJudged) return 'Label at least one image good and one bad first.'
  if (needs('pairs') && pairs === 0) return 'Compare images first, or label one good and another of its prompt bad.'
  if (needs('policies') && !has('policy')) return 'Fine-tune a policy first.'
  const hasStanding = schema.properties.reward?.examples !== undefined
  if (needs('reward') && !has('reward') && !hasStanding) return 'Train a reward first.'
  return null
}

const variantsOf = (property: Property): Property[] =>
  (Array.isArray(property.type)
    ? property.type.map((type: string) => ({ ...property, type }))
    : (property.anyOf ?? [property])
  ).filter(({ type }) => type !== 'null')
const acceptsNull = (property: Property) =>
  (Array.isArray(property.type) && property.type.includes('null')) ||
  (property.anyOf ?? []).some(({ type }) => type === 'null')

function typeOf(variant: Property): FormField['type'] {
  if (variant.enum !== undefined) return 'choice'
  switch (variant.type) {
    case 'integer':
    case 'number':
    case 'boolean':
      return variant.type
    case 'array':
      return 'list'
    default:
      return 'text'
  }
}

const enumChoices = ({ enum: own, items }: Property) =>
  (own ?? items?.enum ?? []).map((value) => ({ value: String(value), label: String(value) }))
const shownDefault = (value: unknown): SettingValue => (value === undefined ? null : (value as SettingValue))
