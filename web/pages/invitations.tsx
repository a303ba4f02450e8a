import { useState } from 'react'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { ago } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'

/** Who may come in; a link is told once. */
export function Invitations() {
  const invitations = useRemote(() => client.invitations(), ['invitations'])
  const [name, setName] = useState('')
  const [role, setRole] = useState<'rater' | 'admin'>('rater')
  const [link, setLink] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  const invite = useAction(async () => {
    const answer = await client.invite({ name, role })
    setLink(answer.link)
    setCopied(false)
    setName('')
    await invitations.reload()
  })
  const withdraw = useAction(async (id: string) => {
    await client.withdrawInvitation(id)
    await invitations.reload()
  })
  return (
    <section className="card stack">
      <div>
        <h2>Invitations</h2>
        <p className="soft small">A link signs one person in on one device, for two weeks.</p>
      </div>
      <form
        className="invite"
        onSubmit={(event) => {
          event.preventDefault()
          void invite.run()
        }}
      >
        <div className="field">
          <label htmlFor="invite-name">Name</label>
          <input
            id="invite-name"
            type="text"
            required
            maxLength={200}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor="invite-role">May</label>
          <select
            id="invite-role"
            value={role}
            onChange={({ target }) => setRole(target.value === 'admin' ? 'admin' : 'rater')}
          >
            <option value="rater">label</option>
            <option value="admin">do everything</option>
          </select>
        </div>
        <button type="submit" className="button primary" disabled={invite.isBusy || name.trim() === ''}>
          Invite
        </button>
      </form>
      <ErrorNotice error={invite.error ?? withdraw.error} />
      {link !== undefined && (
        <div className="notice good" role="status">
          <strong>Send this link; it is not shown again</strong>
          <code>{link}</code>
          <div>
            <button
              type="button"
              className="button small"
              onClick={() => void navigator.clipboard?.writeText(link).then(() => setCopied(true))}
            >
              {isCopied ? 'Copied' : 'Copy'}
            </button>
          </div>
        </div>
      )}
      <Loaded remote={invitations} heights={[80]}>
        {({ invitations: all }) =>
          all.length === 0 ? (
            <p className="soft">Nobody has been invited yet.</p>
          ) : (
            <ul className="invitations">
              {all.map(({ id, name: whom, role: as, createdAt, expiresAt, acceptedAt }) => {
                const isOver = acceptedAt === null && new Date(expiresAt) < new Date()
                return (
                  <li key={id}>
                    <span>
                      <strong dir="auto">{whom}</strong>{' '}
                      <span className="soft small">
                        {as === 'admin' ? 'admin' : 'rater'} · invited {ago(createdAt)}
                      </span>
                    </span>
                    <span className={`badge ${acceptedAt !== null ? 'done' : isOver ? 'stopped' : 'running'}`}>
                      {acceptedAt !== null ? 'accepted' : isOver ? 'expired' : 'open'}
                    </span>
                    <button
                      type="button"
                      className="button small danger"
                      disabled={withdraw.isBusy}
                      onClick={() => void withdraw.run(id)}
                    >
                      Withdraw
                    </button>
                  </li>
                )
              })}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}
