/** What lies in the cache and in the workspace: looked at, and chosen for the studio. */
import { useState } from 'react'
import type { Checkpoint, ModelChoice, Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { size } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'
import { BringCheckpoint } from './bring-checkpoint.tsx'

interface ModelsProps {
  readonly models: Models
  readonly reload: () => Promise<void>
}

export function Checkpoints({ models, reload }: ModelsProps) {
  const { here, removing } = useTexts().models
  const { checkpoints, inUse, chosen } = models
  const next = chosen ?? { model: inUse.isEmbedded ? null : inUse.model, encoder: inUse.encoder }
  const { run, isBusy, error } = useAction(async (choice: ModelChoice) => {
    await client.chooseModel(choice)
    await reload()
  })
  const [removed, setRemoved] = useState<string>()
  const remove = useAction(async (file: string) => {
    await client.removeCheckpoint(file)
    await reload()
  })
  const isUsed = (name: string) => [inUse.model, inUse.encoder, next.model, next.encoder].includes(name)
  return (
    <section className="card stack">
      <div>
        <h2>{here.title}</h2>
        <p className="soft small">{here.where}</p>
      </div>
      <ErrorNotice error={error ?? remove.error} />
      <ul className="models">
        <li>
          <div className="model-head">
            <strong>shapes</strong>
            <span className="soft small">{here.embedded}</span>
            <Use
              isNext={next.model === null}
              isUsed={inUse.isEmbedded}
              isBusy={isBusy}
              use={() => void run({ model: null, encoder: null })}
              what="shapes"
            />
          </div>
        </li>
        {checkpoints.map((one) => (
          <li key={one.name}>
            <Model one={one}>
              {one.kind === 'checkpoint' && (
                <Use
                  isNext={next.model === one.name}
                  isUsed={inUse.model === one.name}
                  isBusy={isBusy}
                  use={() => void run({ model: one.name, encoder: next.encoder })}
                  what={one.name}
                />
              )}
              {one.kind === 'encoder' && (
                <Use
                  isNext={next.encoder === one.name}
                  isUsed={inUse.encoder === one.name}
                  isBusy={isBusy || next.model === null}
                  use={() => void run({ model: next.model, encoder: one.name })}
                  what={one.name}
                />
              )}
              {fileOf(one) !== undefined && !isUsed(one.name) && (
                <button
                  type="button"
                  className="button small quiet"
                  disabled={remove.isBusy}
                  aria-label={removing.removeNamed(one.name)}
                  onClick={() => setRemoved(fileOf(one))}
                >
                  {removing.remove}
                </button>
              )}
            </Model>
          </li>
        ))}
      </ul>
      {checkpoints.length === 0 && <p className="soft">{here.none}</p>}
      <BringCheckpoint reload={reload} />
      {removed !== undefined && (
        <Confirm
          title={removing.removeIt(removed)}
          action={removing.remove}
          confirm={() => void remove.run(removed)}
          close={() => setRemoved(undefined)}
        >
          {removing.removeWhat}
        </Confirm>
      )}
    </section>
  )
}

/** The name of the file of a model that is one, in the workspace. */
const fileOf = ({ name, place }: Checkpoint): string | undefined =>
  place === 'workspace' && name.endsWith('.safetensors') ? name.split('/').at(-1) : undefined

interface UseProps {
  readonly isNext: boolean
  readonly isUsed: boolean
  readonly isBusy: boolean
  readonly use: () => void
  readonly what: string
}

function Use({ isNext, isUsed, isBusy, use, what }: UseProps) {
  const { here } = useTexts().models
  if (isNext) return <span className="badge done">{isUsed ? here.used : here.usedNext}</span>
  return (
    <button type="button" className="button small" disabled={isBusy} aria-label={here.useNamed(what)} onClick={use}>
      {here.use}
    </button>
  )
}

function Model({ one, children }: { one: Checkpoint; children: React.ReactNode }) {
  const { here } = useTexts().models
  const { name, bytes, licence, kind, rows, error } = one
  const facts = [
    ...(kind === null ? [] : [here.kinds[kind]]),
    size(bytes),
    licence === null ? here.noLicence : here.licence(licence.name ?? licence.id),
  ]
  return (
    <>
      <div className="model-head">
        <strong dir="auto">{name}</strong>
        <span className="soft small" dir="auto">
          {facts.join(' · ')}
        </span>
        {children}
      </div>
      {rows === null && error === null && (
        <p className="soft small" role="status">
          {here.lookedAt}
        </p>
      )}
      {error !== null && (
        <p className="small model-error" dir="auto">
          <Icon name="bad" size={16} /> {error}
        </p>
      )}
      {rows !== null && rows.length > 0 && (
        <details>
          <summary>{here.parts}</summary>
          <dl className="model-rows">
            {rows
              .filter(([label]) => label !== 'checkpoint')
              .map(([label, value], place) => (
                <div key={`${place} ${label}`}>
                  <dt>{label}</dt>
                  <dd dir="auto">{value}</dd>
                </div>
              ))}
          </dl>
        </details>
      )}
    </>
  )
}
