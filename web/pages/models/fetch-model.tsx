/** A model from a hub: looked up, its licence read and accepted, downloaded; what breaks off is gone on with. */
import { useState } from 'react'
import type { Fetch, Offer, Wanted } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { ago, size } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

interface FetchProps {
  readonly fetches: readonly Fetch[]
  readonly reload: () => Promise<void>
}

export function FetchModel({ fetches, reload }: FetchProps) {
  const texts = useTexts().models.fetching
  const [model, setModel] = useState('')
  const [variant, setVariant] = useState<'' | 'fp16' | 'bf16'>('')
  const [offer, setOffer] = useState<{ readonly wanted: Wanted; readonly told: Offer }>()
  const [isAccepted, setAccepted] = useState(false)
  const look = useAction(async (wanted: Wanted) => {
    setOffer(undefined)
    setAccepted(false)
    setOffer({ wanted, told: await client.offer(wanted) })
  })
  const begin = useAction(async ({ wanted, told }: NonNullable<typeof offer>) => {
    await client.fetchModel({ ...wanted, licence: told.licence?.id ?? null })
    setOffer(undefined)
    setModel('')
    await reload()
  })
  return (
    <section className="card stack">
      <div>
        <h2>{texts.title}</h2>
        <p className="soft small">{texts.from}</p>
      </div>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void look.run({ model: model.trim(), variant: variant === '' ? null : variant })
        }}
      >
        <div className="fields">
          <div className="field">
            <label htmlFor="fetch-model">{texts.name}</label>
            <input
              id="fetch-model"
              type="text"
              value={model}
              required
              placeholder={texts.nameForm}
              pattern="\s*\w[\w.\-]*/\w[\w.\-]*\s*"
              title={texts.nameForm}
              autoCapitalize="off"
              spellCheck={false}
              onChange={({ target }) => setModel(target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor="fetch-variant">{texts.precision}</label>
            <select
              id="fetch-variant"
              value={variant}
              onChange={({ target }) => setVariant(target.value as typeof variant)}
            >
              <option value="">{texts.asPublished}</option>
              {(['fp16', 'bf16'] as const).map((precision) => (
                <option key={precision} value={precision}>
                  {texts.half(precision)}
                </option>
              ))}
            </select>
          </div>
        </div>
        <div>
          <button type="submit" className="button" disabled={look.isBusy || model.trim() === ''}>
            {look.isBusy ? texts.looking : texts.look}
          </button>
        </div>
      </form>
      <ErrorNotice error={look.error ?? begin.error} />
      {offer !== undefined && (
        <div className="notice">
          <strong dir="auto">{offer.told.model}</strong>
          <span>
            {texts.files(offer.told.files, size(offer.told.bytes))}
            {offer.told.missingBytes < offer.told.bytes && `, ${texts.missing(size(offer.told.missingBytes))}`}
          </span>
          <span dir="auto">
            {texts.licence} <strong>{offer.told.licence?.name ?? offer.told.licence?.id ?? texts.noLicence}</strong>{' '}
            <a href={offer.told.page} target="_blank" rel="noreferrer">
              {texts.readLicence}
            </a>
          </span>
          <label className="row tight">
            <input type="checkbox" checked={isAccepted} onChange={({ target }) => setAccepted(target.checked)} />
            {texts.accept}
          </label>
          <span>
            <button
              type="button"
              className="button primary"
              disabled={!isAccepted || begin.isBusy}
              onClick={() => void begin.run(offer)}
            >
              {texts.download}
            </button>
          </span>
        </div>
      )}
      {fetches.length > 0 && (
        <ul className="models">
          {fetches.map((one) => (
            <li key={one.model}>
              <Progress
                one={one}
                reload={reload}
                again={() => void look.run({ model: one.model, revision: one.revision, variant: one.variant })}
              />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Progress({ one, reload, again }: { one: Fetch; reload: () => Promise<void>; again: () => void }) {
  const {
    jobs,
    models: { fetching: texts },
  } = useTexts()
  const { model, state, progress, error, startedAt } = one
  const stop = useAction(async () => {
    await client.stopFetch(model)
    await reload()
  })
  return (
    <>
      <div className="model-head">
        <strong dir="auto">{model}</strong>
        <span className="soft small">{texts.begun(ago(startedAt))}</span>
        <span className={`badge ${state}`}>{jobs.states[state]}</span>
      </div>
      {state === 'running' && (
        <>
          <ProgressBar
            share={progress === null || progress.total === 0 ? undefined : progress.done / progress.total}
            label={texts.downloadOf(model)}
          />
          <span className="soft small" dir="auto">
            {progress === null
              ? jobs.gettingReady
              : jobs.doneOf(progress.done, progress.total, jobs.units[progress.unit] ?? progress.unit)}
          </span>
          <button type="button" className="button small" disabled={stop.isBusy} onClick={() => void stop.run()}>
            {texts.stop}
          </button>
        </>
      )}
      {error !== null && (
        <p className="small model-error" dir="auto">
          {error}
        </p>
      )}
      {(state === 'failed' || state === 'stopped') && (
        <button type="button" className="button small" onClick={again}>
          {texts.goOn}
        </button>
      )}
      <ErrorNotice error={stop.error} />
    </>
  )
}
