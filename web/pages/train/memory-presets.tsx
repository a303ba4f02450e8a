/** Buttons that fill in a form so that its stage fits into so much memory. */
import { useEffect, useState } from 'react'
import { takesMemory } from '../../../src/setting-groups.ts'
import type { FormField, Presets, SettingValue, StageForm } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { figure, settingTitle, size } from '../../format.ts'
import { useRemote, type Remote } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

type Settings = Readonly<Record<string, SettingValue>>
type Preset = Presets['presets'][number]

interface MemoryPresetsProps {
  readonly presets: Remote<Presets>
  readonly fields: readonly FormField[]
  readonly valueOf: (field: string) => SettingValue
  /** How long it takes as it is filled in; none where that is not known. */
  readonly time: string | null
  readonly fill: (settings: Settings) => void
}

/** While it is worked out, between looks. */
const everyMs = 2000
/** Somebody may still be typing. */
const restMs = 700

/** Of a form as it is filled in, asked for until they are worked out. */
export function usePresets(
  form: StageForm,
  fields: readonly FormField[],
  valueOf: (field: string) => SettingValue,
): Remote<Presets> {
  const [isReady, setReady] = useState(false)
  const [filled, setFilled] = useState<ReadonlySet<string>>(new Set())
  const asked = useRested(askedOf(fields, valueOf, filled))
  const remote = useRemote(() => client.presets({ stage: form.stage, settings: asked }), ['presets', form.stage], {
    everyMs: isReady ? 0 : everyMs,
    changes: [asked, form.missing],
  })
  const { value } = remote
  useEffect(() => setReady(false), [asked])
  useEffect(() => {
    if (value === undefined) return
    setReady(value.isReady)
    const names = value.presets.flatMap(({ settings }) => Object.keys(settings ?? {}))
    if (names.some((name) => !filled.has(name))) setFilled(new Set([...filled, ...names]))
  }, [value])
  return remote
}

export function MemoryPresets({ presets: { value, error }, fields, valueOf, time, fill }: MemoryPresetsProps) {
  const texts = useTexts().machine.presets
  if (error !== undefined) return <ErrorNotice error={error} />
  if (value === undefined || (value.isReady && value.presets.length === 0)) return null
  if (!value.isReady) {
    return (
      <p className="soft small" role="status">
        {texts.working}
      </p>
    )
  }
  const isWhole = valueOf('parameters') === 'all'
  const isChosen = ({ settings }: Preset) =>
    settings !== null && Object.entries(settings).every(([field, one]) => (valueOf(field) ?? null) === one)
  return (
    <fieldset className="presets">
      <legend>{texts.title}</legend>
      <ul>
        {value.presets.map((preset) => {
          const { memory, isHere, settings, takes } = preset
          const room = `${figure(Math.round(memory / 1e9))} GB`
          const title = isHere ? texts.fitsHere(room) : texts.fits(room)
          if (settings === null) {
            return (
              <li key={memory} className="preset soft small">
                <strong>{isHere ? title : room}</strong>
                <span>{isWhole ? texts.nothingFitsWhole(size(takes)) : texts.nothingFits(size(takes))}</span>
              </li>
            )
          }
          return (
            <li key={memory}>
              <button type="button" className="preset" aria-pressed={isChosen(preset)} onClick={() => fill(settings)}>
                <strong>{title}</strong>
                <span>{time === null ? texts.takes(size(takes)) : texts.takesAndLasts(size(takes), time)}</span>
                <span className="soft small">{wordsOf(settings, fields, texts.setting) || texts.asItIs}</span>
              </button>
            </li>
          )
        })}
      </ul>
      <span className="soft small">{texts.about}</span>
    </fieldset>
  )
}

/** What of the form decides how much memory is taken, as JSON; not what presets fill in themselves. */
function askedOf(
  fields: readonly FormField[],
  valueOf: (field: string) => SettingValue,
  filled: ReadonlySet<string>,
): string {
  const weighty = fields.filter(({ field }) => takesMemory(field) && !filled.has(field))
  const others = weighty.filter((field) => JSON.stringify(valueOf(field.field)) !== JSON.stringify(field.default))
  return JSON.stringify(Object.fromEntries(others.map(({ field }) => [field, valueOf(field)])))
}

/** A text once it has stayed the same for a moment. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), restMs)
    return () => clearTimeout(timer)
  }, [text])
  return rested
}

/** What is other than usual: `Batch size 16, Gradient checkpointing`. */
function wordsOf(
  settings: Settings,
  fields: readonly FormField[],
  setting: (title: string, value: string) => string,
): string {
  return fields
    .flatMap((field) => {
      const value = settings[field.field]
      if (value === undefined || value === null || value === field.default || value === false) return []
      const title = settingTitle(field.field)
      return value === true ? [title] : [setting(title, typeof value === 'number' ? figure(value) : String(value))]
    })
    .join(', ')
}
