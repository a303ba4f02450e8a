/** One field of a stage's form, by its type. */
import { useId } from 'react'
import type { FormField, SettingValue } from '../../src/studio/schemas/jobs.ts'
import { emptySetting, figure } from '../format.ts'
import { promptLines } from '../prompt-lines.ts'
import { useTexts } from '../texts/texts.ts'
import { PromptsBox } from './prompts-box.tsx'
import { Sentence } from './sentence.tsx'

interface SettingFieldProps {
  readonly field: FormField
  /** What is written, as text, so that a half-written number is kept. */
  readonly value: SettingValue
  readonly change: (value: SettingValue) => void
  readonly wrong?: string
}

const shown = (value: SettingValue): string =>
  value === null ? '' : Array.isArray(value) ? value.join('\n') : String(value)

/** What an empty field means. */
const emptyTitle = ({ type, field }: FormField): string =>
  emptySetting(type === 'run' && field !== 'policy' ? 'reward' : field)

const isPrompts = ({ type, field }: FormField) => type === 'list' && field === 'prompts'

const chosenTypes = new Set(['run', 'choice'])
const pickedTypes = new Set(['runs', 'choices'])

export function SettingField({ field, value, change, wrong }: SettingFieldProps) {
  const { settings } = useTexts()
  const id = useId()
  const { type, sentence, expected, optional, choices } = field
  const label = settings.labels[field.field] ?? field.label
  const described = `${id}-hint`
  const common = {
    id,
    'aria-describedby': described,
    'aria-invalid': wrong === undefined ? undefined : true,
  } as const
  const hint = (
    <span className="hint" id={described}>
      <Sentence text={settings.hints[sentence] ?? (sentence || expected)} />
      {wrong !== undefined && <span className="wrong"> {settings.accepted(expected)}</span>}
    </span>
  )
  if (type === 'boolean') {
    return (
      <div className="field">
        <label className="check">
          <input
            {...common}
            type="checkbox"
            checked={value === true}
            onChange={({ target }) => change(target.checked)}
          />
          {label}
        </label>
        {hint}
      </div>
    )
  }
  if (pickedTypes.has(type)) {
    const picked = Array.isArray(value) ? value.map(String) : []
    return (
      <fieldset className="field" aria-describedby={described}>
        <legend>{label}</legend>
        {choices.length === 0 && <span className="soft small">{settings.noChoice}</span>}
        {choices.map((choice) => (
          <label key={choice.value} className="check">
            <input
              type="checkbox"
              checked={picked.includes(choice.value)}
              onChange={({ target }) => {
                const rest = picked.filter((one) => one !== choice.value)
                const now = target.checked ? [...rest, choice.value] : rest
                change(now.length === 0 && optional ? null : now)
              }}
            />
            <span dir="auto">{choice.label}</span>
          </label>
        ))}
        {hint}
      </fieldset>
    )
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {chosenTypes.has(type) ? (
        <select
          {...common}
          value={shown(value)}
          onChange={({ target }) => change(target.value === '' ? null : target.value)}
        >
          {(optional || value === null) && <option value="">{emptyTitle(field)}</option>}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      ) : isPrompts(field) ? (
        <PromptsBox
          id={id}
          describedBy={described}
          isWrong={wrong !== undefined}
          placeholder={settings.onePerLine}
          value={shown(value)}
          change={(text) => change(text === '' ? null : text.split('\n'))}
        />
      ) : type === 'list' ? (
        <textarea
          {...common}
          rows={4}
          placeholder={settings.onePerLine}
          value={shown(value)}
          dir="auto"
          onChange={({ target }) => change(target.value === '' ? null : target.value.split('\n'))}
        />
      ) : (
        <input
          {...common}
          type="text"
          inputMode={type === 'text' ? 'text' : 'decimal'}
          value={shown(value)}
          placeholder={field.default === null ? emptyTitle(field) : shownDefault(field.default)}
          onChange={({ target }) => change(target.value === '' ? null : target.value)}
        />
      )}
      {hint}
    </div>
  )
}

const shownDefault = (value: SettingValue): string => (typeof value === 'number' ? figure(value) : shown(value))

/** What is sent: numbers of what was written, and the default where a field that may not be empty is. */
export function settingOf(field: FormField, value: SettingValue): SettingValue {
  const { type, optional } = field
  if (value === null) return optional ? null : field.default
  if ((type === 'number' || type === 'integer') && typeof value === 'string') {
    const number = Number(value.trim().replace(',', '.').replace('−', '-'))
    return Number.isFinite(number) ? number : value
  }
  if (isPrompts(field) && Array.isArray(value)) {
    const { texts } = promptLines(value.join('\n'))
    return texts.length === 0 ? (optional ? null : field.default) : [...texts]
  }
  if (type === 'list' && Array.isArray(value)) {
    const lines = value.map((line) => String(line).trim()).filter((line) => line !== '')
    const areNumbers = Array.isArray(field.default) && field.default.some((one) => typeof one === 'number')
    if (lines.length === 0) return optional ? null : field.default
    return areNumbers ? lines.map((line) => (Number.isFinite(Number(line)) ? Number(line) : line)) : lines
  }
  return value
}

/** What is not accepted without asking the server. */
export function isWrong(field: FormField, value: SettingValue): boolean {
  const { type, min, max, optional } = field
  const sent = settingOf(field, value)
  if (sent === null) return !optional
  if (type !== 'number' && type !== 'integer') return false
  if (typeof sent !== 'number') return true
  return (type === 'integer' && !Number.isInteger(sent)) || (min !== null && sent < min) || (max !== null && sent > max)
}
