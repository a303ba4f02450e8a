/** Keys for scripts: made, shown once, revoked. */
import { useState } from 'react'
import type { ApiKey } from '../../src/studio/schemas/accounts.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { useAction, useRemote } from '../remote.ts'
import { speech, useTexts } from '../texts/texts.ts'

const terms = [7, 30, 90, 366] as const

export function KeysCard({ name, isAdmin }: { name: string; isAdmin: boolean }) {
  const { account } = useTexts()
  const keys = useRemote(() => client.keys(), ['keys'])
  const [label, setLabel] = useState('')
  const [role, setRole] = useState<ApiKey['role']>('rater')
  const [days, setDays] = useState(90)
  const [token, setToken] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await keys.reload()
  })
  const make = async () => {
    const made = await client.makeKey({ name: label, role, days })
    setToken(made.token)
    setCopied(false)
    setLabel('')
  }
  return (
    <section className="card stack" aria-labelledby="keys-title">
      <div>
        <h2 id="keys-title">{account.keys}</h2>
        <p className="soft small">
          {account.whyKeys}{' '}
          <a className="text-link" href="/api/openapi.json">
            <code>/api/openapi.json</code>
          </a>
        </p>
      </div>
      <form
        className="key-form"
        onSubmit={(event) => {
          event.preventDefault()
          void run(make)
        }}
      >
        <div className="field">
          <label htmlFor="key-name">{account.keyName}</label>
          <input
            id="key-name"
            type="text"
            required
            maxLength={200}
            value={label}
            onChange={({ target }) => setLabel(target.value)}
          />
        </div>
        {isAdmin && (
          <div className="field">
            <label htmlFor="key-role">{account.keyRole}</label>
            <select
              id="key-role"
              value={role}
              onChange={({ target }) => setRole(target.value === 'admin' ? 'admin' : 'rater')}
            >
              <option value="rater">{account.label}</option>
              <option value="admin">{account.everything}</option>
            </select>
          </div>
        )}
        <div className="field">
          <label htmlFor="key-days">{account.keyDays}</label>
          <select id="key-days" value={days} onChange={({ target }) => setDays(Number(target.value))}>
            {terms.map((term) => (
              <option key={term} value={term}>
                {account.days(term)}
              </option>
            ))}
          </select>
        </div>
        <button type="submit" className="button primary" disabled={isBusy || label.trim() === ''}>
          {account.makeKey}
        </button>
      </form>
      <ErrorNotice error={error} />
      {token !== undefined && (
        <div className="notice good" role="status">
          <strong>{account.keyOnce}</strong>
          <code className="key-token">{token}</code>
          <div>
            <button
              type="button"
              className="button small"
              onClick={() => void navigator.clipboard?.writeText(token).then(() => setCopied(true))}
            >
              {isCopied ? account.copied : account.copy}
            </button>
          </div>
        </div>
      )}
      <Loaded remote={keys} heights={[60]}>
        {({ keys: all }) =>
          all.length === 0 ? (
            <p className="soft">{account.noKeys}</p>
          ) : (
            <ul className="key-list">
              {all.map((key) => (
                <li key={key.id}>
                  <span>
                    <strong dir="auto">{key.name}</strong>{' '}
                    <span className="soft small">
                      {[
                        ...(key.owner === name ? [] : [account.ofOwner(key.owner)]),
                        key.role === 'admin' ? account.everything : account.label,
                        key.lastUsedAt === null ? account.neverUsed : account.lastUsed(speech().ago(key.lastUsedAt)),
                        new Date(key.expiresAt) < new Date()
                          ? account.expired
                          : account.worksUntil(speech().moment(key.expiresAt)),
                      ].join(' · ')}
                    </span>
                  </span>
                  <button
                    type="button"
                    className="button small danger"
                    aria-label={account.revokeKey(key.name)}
                    disabled={isBusy}
                    onClick={() => void run(() => client.revokeKey(key.id))}
                  >
                    {account.revoke}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}
