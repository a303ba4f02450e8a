/** A model from a hub: looked up, its licence read and accepted, downloaded; what breaks off is gone on with. */
import { useState } from 'react'
import type { Fetch, Offer, Wanted } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { ago, figure, size } from '../../format.ts'
import { useAction } from '../../remote.ts'

interface FetchProps {
  readonly fetches: readonly Fetch[]
  readonly reload: () => Promise<void>
}

export function FetchModel({ fetches, reload }: FetchProps) {
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
        <h2>Fetch by name</h2>
        <p className="soft small">
          From the Hugging Face hub, or the one that HF_ENDPOINT names; only what is read here.
        </p>
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
            <label htmlFor="fetch-model">Name</label>
            <input
              id="fetch-model"
              type="text"
              value={model}
              required
              placeholder="owner/name"
              pattern="\s*\w[\w.\-]*/\w[\w.\-]*\s*"
              title="owner/name"
              autoCapitalize="off"
              spellCheck={false}
              onChange={({ target }) => setModel(target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor="fetch-variant">Precision</label>
            <select
              id="fetch-variant"
              value={variant}
              onChange={({ target }) => setVariant(target.value as typeof variant)}
            >
              <option value="">as published</option>
              <option value="fp16">fp16, half the size</option>
              <option value="bf16">bf16, half the size</option>
            </select>
          </div>
        </div>
        <div>
          <button type="submit" className="button" disabled={look.isBusy || model.trim() === ''}>
            {look.isBusy ? 'Looking …' : 'Look it up'}
          </button>
        </div>
      </form>
      <ErrorNotice error={look.error ?? begin.error} />
      {offer !== undefined && (
        <div className="notice">
          <strong dir="auto">{offer.told.model}</strong>
          <span>
            {figure(offer.told.files)} files, {size(offer.told.bytes)}
            {offer.told.missingBytes < offer.told.bytes &&
              `, of which ${size(offer.told.missingBytes)} are not here yet`}
          </span>
          <span dir="auto">
            Licence: <strong>{offer.told.licence?.name ?? offer.told.licence?.id ?? 'the hub tells none'}</strong>{' '}
            <a href={offer.told.page} target="_blank" rel="noreferrer">
              Read it on the model’s page
            </a>
          </span>
          <label className="row tight">
            <input type="checkbox" checked={isAccepted} onChange={({ target }) => setAccepted(target.checked)} />I have
            read the licence and accept it
          </label>
          <span>
            <button
              type="button"
              className="button primary"
              disabled={!isAccepted || begin.isBusy}
              onClick={() => void begin.run(offer)}
            >
              Download
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

const states = { running: 'running', done: 'done', stopped: 'stopped', failed: 'failed' } as const

function Progress({ one, reload, again }: { one: Fetch; reload: () => Promise<void>; again: () => void }) {
  const { model, state, progress, error, startedAt } = one
  const stop = useAction(async () => {
    await client.stopFetch(model)
    await reload()
  })
  return (
    <>
      <div className="model-head">
        <strong dir="auto">{model}</strong>
        <span className="soft small">begun {ago(startedAt)}</span>
        <span className={`badge ${states[state]}`}>{state}</span>
      </div>
      {state === 'running' && (
        <>
          <ProgressBar
            share={progress === null || progress.total === 0 ? undefined : progress.done / progress.total}
            label={`Download of ${model}`}
          />
          <span className="soft small" dir="auto">
            {progress === null
              ? 'getting ready'
              : `${figure(progress.done)} of ${figure(progress.total)} ${progress.unit}`}
          </span>
          <button type="button" className="button small" disabled={stop.isBusy} onClick={() => void stop.run()}>
            Stop
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
          Go on with it
        </button>
      )}
      <ErrorNotice error={stop.error} />
    </>
  )
}
