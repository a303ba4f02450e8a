import { useId, useState } from 'react'
import { AskingSettings, taskModes, type TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'
import { wrongOf } from './wrong.ts'

const fields = ['overlapShare', 'goldShare'] as const

const percentOf = (share: number) => String(Number((100 * share).toFixed(2)))
/** What is not a number goes to the schema as such. */
const shareOf = (text: string) => (text.trim() === '' ? Number.NaN : Number(text.replace(',', '.')) / 100)

export function QuestionsForm({ saved, reload }: { saved: AskingSettings; reload: () => Promise<void> }) {
  const { asking, label: labelTexts } = useTexts()
  const { questions: texts } = asking
  const [typed, setTyped] = useState<{
    overlapShare?: string
    goldShare?: string
    byUncertainty?: boolean
    mode?: TaskMode
  }>({})
  const [isSaved, setSaved] = useState(false)
  const id = useId()
  const settings: AskingSettings = {
    ...saved,
    ...(typed.overlapShare !== undefined && { overlapShare: shareOf(typed.overlapShare) }),
    ...(typed.goldShare !== undefined && { goldShare: shareOf(typed.goldShare) }),
    ...(typed.mode !== undefined && { mode: typed.mode }),
    ...(typed.byUncertainty !== undefined && { byUncertainty: typed.byUncertainty }),
  }
  const wrong = wrongOf(AskingSettings, settings)
  const isChanged =
    settings.mode !== saved.mode ||
    settings.byUncertainty !== saved.byUncertainty ||
    fields.some((name) => settings[name] !== saved[name])
  const { run, isBusy, error } = useAction(async () => {
    if (wrong.size > 0) return
    await client.setAsking(settings)
    await reload()
    setTyped({})
    setSaved(true)
  })
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <div className="columns">
        {fields.map((name) => (
          <div key={name} className="field">
            <label htmlFor={`${id}-${name}`}>{texts.shares[name].label}</label>
            <input
              id={`${id}-${name}`}
              className="share"
              type="text"
              inputMode="decimal"
              autoComplete="off"
              value={typed[name] ?? percentOf(saved[name])}
              aria-describedby={`${id}-${name}-hint`}
              aria-invalid={wrong.has(name) || undefined}
              onChange={({ target }) => {
                setSaved(false)
                setTyped({ ...typed, [name]: target.value })
              }}
            />
            <span className="hint" id={`${id}-${name}-hint`}>
              {wrong.has(name) && <span className="wrong">{asking.accepted(wrong.get(name)!)} </span>}
              {texts.shares[name].sentence}
            </span>
          </div>
        ))}
      </div>
      <div className="field">
        <label htmlFor={`${id}-mode`}>{texts.mode}</label>
        <select
          id={`${id}-mode`}
          value={settings.mode}
          aria-describedby={`${id}-mode-hint`}
          onChange={({ target }) => {
            setSaved(false)
            setTyped({ ...typed, mode: target.value as TaskMode })
          }}
        >
          {taskModes.map((mode) => (
            <option key={mode} value={mode}>
              {labelTexts.modes[mode]}
            </option>
          ))}
        </select>
        <span className="hint" id={`${id}-mode-hint`}>
          {texts.modeHint}
        </span>
      </div>
      <div className="field">
        <label className="check">
          <input
            type="checkbox"
            checked={settings.byUncertainty}
            aria-describedby={`${id}-unsure-hint`}
            onChange={({ target }) => {
              setSaved(false)
              setTyped({ ...typed, byUncertainty: target.checked })
            }}
          />
          {texts.unsure}
        </label>
        <span className="hint" id={`${id}-unsure-hint`}>
          {texts.unsureHint}
        </span>
      </div>
      <ErrorNotice error={error} />
      <div className="row">
        <button type="submit" className="button primary" disabled={isBusy || !isChanged || wrong.size > 0}>
          {isBusy ? asking.saving : texts.save}
        </button>
        <span role="status" className="soft small">
          {isChanged ? texts.isChanged : isSaved ? texts.isSaved : ''}
        </span>
      </div>
    </form>
  )
}
