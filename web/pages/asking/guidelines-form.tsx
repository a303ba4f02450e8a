import { useId, useState } from 'react'
import { Guidelines, type ShownGuidelines } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'
import { GuidelinesText } from '../label/guidelines.tsx'
import { inWordsOf } from '../label/usual-words.ts'
import { toSave, useGuidelinesDraft } from './guidelines-draft.ts'
import { ExampleCards } from './example-cards.tsx'
import { ReasonRows } from './reason-rows.tsx'
import { wrongOf } from './wrong.ts'

/** The text with how raters see it, the reasons, and what raters agree to. */
export function GuidelinesForm({ saved, reload }: { saved: ShownGuidelines; reload: () => Promise<void> }) {
  const all = useTexts()
  const { asking } = all
  const { guidelines: texts } = asking
  const { written, isChanged, isOvertaken, change, giveUp } = useGuidelinesDraft(saved)
  const [isSaved, setSaved] = useState(false)
  const [isChecked, setChecked] = useState(false)
  const ids = { text: useId(), consent: useId() }
  const wrong = wrongOf(Guidelines, toSave(written))
  const { run, isBusy, error } = useAction(async () => {
    setChecked(true)
    if (wrong.size > 0) return
    await client.setGuidelines(toSave(written))
    await reload()
    giveUp()
    setChecked(false)
    setSaved(true)
  })
  const edit = (given: Parameters<typeof change>[0]) => {
    setSaved(false)
    change(given)
  }
  const shown = isChecked ? wrong : new Map<string, string>()
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <div className="columns broad">
        <div className="field">
          <label htmlFor={ids.text}>{texts.text}</label>
          <textarea
            id={ids.text}
            className="guidelines-text"
            rows={14}
            maxLength={10_000}
            value={written.text}
            dir="auto"
            aria-describedby={`${ids.text}-hint`}
            onChange={({ target }) => edit({ text: target.value })}
          />
          <span className="hint" id={`${ids.text}-hint`}>
            {texts.textHint}
          </span>
        </div>
        <div className="field">
          <span className="label">{texts.asSeen}</span>
          <div className="preview" role="group" aria-label={texts.asSeen} tabIndex={0}>
            {written.text.trim() === '' ? (
              <p className="soft">{texts.empty}</p>
            ) : (
              <GuidelinesText text={inWordsOf(all, { ...written, examples: [] }).text} />
            )}
          </div>
        </div>
      </div>
      <ExampleCards
        examples={written.examples}
        deleted={saved.examples.filter(({ picture }) => picture === null).length}
        change={(examples) => edit({ examples })}
      />
      <ReasonRows reasons={written.reasons} wrong={shown} change={(reasons) => edit({ reasons })} />
      <div className="field">
        <label htmlFor={ids.consent}>{texts.consent}</label>
        <textarea
          id={ids.consent}
          rows={3}
          maxLength={10_000}
          value={written.consent}
          dir="auto"
          aria-describedby={`${ids.consent}-hint`}
          onChange={({ target }) => edit({ consent: target.value })}
        />
        <span className="hint" id={`${ids.consent}-hint`}>
          {texts.consentHint}
        </span>
      </div>
      {isOvertaken && <p className="notice warn">{texts.overtaken}</p>}
      <ErrorNotice error={error} />
      {shown.size > 0 && (
        <p className="notice bad" role="alert">
          {texts.notSaved} {wrong.has('reasons') ? texts.acceptedReasons(wrong.get('reasons')!) : texts.marked}
        </p>
      )}
      <div className="row">
        <button type="submit" className="button primary" disabled={isBusy || !isChanged}>
          {isBusy ? asking.saving : texts.save}
        </button>
        {isChanged && (
          <button
            type="button"
            className="button"
            disabled={isBusy}
            onClick={() => {
              setChecked(false)
              giveUp()
            }}
          >
            {texts.discard}
          </button>
        )}
        <span role="status" className="soft small">
          {isChanged ? texts.isChanged : isSaved ? texts.isSaved : texts.isOld}
        </span>
      </div>
    </form>
  )
}
