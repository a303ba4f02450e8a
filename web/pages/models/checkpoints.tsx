/** What lies in the cache and in the workspace: looked at, and chosen for the studio. */
import type { Checkpoint, ModelChoice, Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { size } from '../../format.ts'
import { useAction } from '../../remote.ts'

interface ModelsProps {
  readonly models: Models
  readonly reload: () => Promise<void>
}

export function Checkpoints({ models, reload }: ModelsProps) {
  const { checkpoints, inUse, chosen } = models
  const next = chosen ?? { model: inUse.isEmbedded ? null : inUse.model, encoder: inUse.encoder }
  const { run, isBusy, error } = useAction(async (choice: ModelChoice) => {
    await client.chooseModel(choice)
    await reload()
  })
  return (
    <section className="card stack">
      <div>
        <h2>Here</h2>
        <p className="soft small">
          In the cache that the Hugging Face libraries share, and in the folder “models” of this workspace.
        </p>
      </div>
      <ErrorNotice error={error} />
      <ul className="models">
        <li>
          <div className="model-head">
            <strong>shapes</strong>
            <span className="soft small">embedded: coloured shapes, for trying things out in minutes</span>
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
            </Model>
          </li>
        ))}
      </ul>
      {checkpoints.length === 0 && <p className="soft">No other model lies here yet: fetch one below.</p>}
    </section>
  )
}

interface UseProps {
  readonly isNext: boolean
  readonly isUsed: boolean
  readonly isBusy: boolean
  readonly use: () => void
  readonly what: string
}

function Use({ isNext, isUsed, isBusy, use, what }: UseProps) {
  if (isNext) return <span className="badge done">{isUsed ? 'in use' : 'from the next start on'}</span>
  return (
    <button type="button" className="button small" disabled={isBusy} aria-label={`Use ${what}`} onClick={use}>
      Use
    </button>
  )
}

const kinds = { checkpoint: 'draws images', encoder: 'encoder of rewards', reward: 'reward' } as const

function Model({ one, children }: { one: Checkpoint; children: React.ReactNode }) {
  const { name, bytes, licence, kind, rows, error } = one
  const facts = [
    ...(kind === null ? [] : [kinds[kind]]),
    size(bytes),
    licence === null ? 'licence not known here' : `licence ${licence.name ?? licence.id}`,
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
          Being looked at …
        </p>
      )}
      {error !== null && (
        <p className="small model-error" dir="auto">
          <Icon name="bad" size={16} /> {error}
        </p>
      )}
      {rows !== null && rows.length > 0 && (
        <details>
          <summary>Parts and size</summary>
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
