/** Handing a page on: as a file, or by a link that opens it alone. */
import { useState } from 'react'
import type { NewShare } from '../../src/studio/schemas/sharing.ts'
import { client } from '../api.ts'
import { ago } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { Drawer } from './drawer.tsx'
import { ErrorNotice, Loaded } from './notice.tsx'

/** @param url of the page, which is one file without anything else */
export function Handing({ kind, name, url }: NewShare & { readonly url: string }) {
  const { sharing } = useTexts()
  const [isSharing, setSharing] = useState(false)
  return (
    <>
      <a className="button" href={url} download={`${name}.html`}>
        {sharing.download}
      </a>
      <button type="button" className="button" onClick={() => setSharing(true)}>
        {sharing.share}
      </button>
      {isSharing && (
        <Drawer title={sharing.byLink} close={() => setSharing(false)}>
          <Links kind={kind} name={name} />
        </Drawer>
      )}
    </>
  )
}

function Links({ kind, name }: NewShare) {
  const { account, sharing } = useTexts()
  const { state } = useStudio()
  const [made, setMade] = useState<{ readonly id: string; readonly link: string }>()
  const [isCopied, setCopied] = useState(false)
  const shares = useRemote(() => client.shares(), ['shares'], { changes: [made?.id] })
  const make = useAction(async () => {
    const { link, share } = await client.share({ kind, name })
    setMade({ id: share.id, link })
    setCopied(false)
  })
  const withdraw = useAction(async (id: string) => {
    await client.withdrawShare(id)
    if (made?.id === id) setMade(undefined)
    await shares.reload()
  })
  return (
    <div className="stack">
      <p>
        {sharing.what}
        {state?.login === false && ` ${sharing.thisMachine}`}
      </p>
      <ErrorNotice error={make.error ?? withdraw.error} />
      <div>
        <button type="button" className="button primary" disabled={make.isBusy} onClick={() => void make.run()}>
          {sharing.make}
        </button>
      </div>
      {made !== undefined && (
        <div className="field">
          <label htmlFor="shared-link">{sharing.toldOnce}</label>
          <input id="shared-link" readOnly value={made.link} onFocus={({ target }) => target.select()} />
          <div>
            <button
              type="button"
              className="button small"
              onClick={() =>
                void navigator.clipboard?.writeText(made.link).then(
                  () => setCopied(true),
                  () => setCopied(false),
                )
              }
            >
              {isCopied ? account.copied : account.copy}
            </button>
          </div>
        </div>
      )}
      <Loaded remote={shares} heights={[60]}>
        {({ shares: all }) => {
          const own = all.filter((one) => one.kind === kind && one.name === name)
          if (own.length === 0) return <p className="soft">{sharing.none}</p>
          return (
            <ul className="job-list" aria-label={sharing.links}>
              {own.map(({ id, createdBy, createdAt }) => (
                <li key={id} className="comparison-row">
                  <span dir="auto">{sharing.madeBy(createdBy, ago(createdAt))}</span>
                  <button
                    type="button"
                    className="button small danger"
                    disabled={withdraw.isBusy}
                    onClick={() => void withdraw.run(id)}
                  >
                    {sharing.withdraw}
                  </button>
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </div>
  )
}
