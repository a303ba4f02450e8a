import { useRef, useState } from 'react'
import type { Invitation, InvitationLink } from '../../src/studio/schemas/accounts.ts'
import { client } from '../api.ts'
import { Confirm, type ConfirmProps } from '../components/confirm.tsx'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { ago } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { useStudio } from '../studio-state.tsx'

/** Who may come in; a link is told once. */
export function Invitations() {
  const invitations = useRemote(() => client.invitations(), ['invitations'])
  const [name, setName] = useState('')
  const [role, setRole] = useState<'rater' | 'admin'>('rater')
  const [link, setLink] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  const made = async (answer: InvitationLink) => {
    setLink(answer.link)
    setCopied(false)
    await invitations.reload()
  }
  const invite = useAction(async () => {
    await made(await client.invite({ name, role }))
    setName('')
  })
  return (
    <section className="card stack">
      <div>
        <h2>Invitations</h2>
        <p className="soft small">
          A link signs one person in on one device, for two weeks. Who has lost a browser or a password gets a new one.
        </p>
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
      <ErrorNotice error={invite.error} />
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
            <InvitationList all={all} reload={invitations.reload} made={made} />
          )
        }
      </Loaded>
    </section>
  )
}

type Role = Invitation['role']
type Question = Omit<ConfirmProps, 'close'>

interface InvitationListProps {
  readonly all: readonly Invitation[]
  readonly reload: () => Promise<void>
  readonly made: (link: InvitationLink) => Promise<void>
}

/** Everybody who was invited, what they may do, and how they leave. Whoever is the last admin stays one. */
function InvitationList({ all, reload, made }: InvitationListProps) {
  const { state, reload: reloadState } = useStudio()
  const [question, setQuestion] = useState<Question>()
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await Promise.all([reload(), reloadState()])
  })
  const here = all.filter(({ acceptedAt }) => acceptedAt !== null)
  const admins = new Set(here.filter(({ role }) => role === 'admin').map(({ name }) => name))
  const withdraw = ({ id, name, acceptedAt }: Invitation) => {
    const isOwn = acceptedAt !== null && name === state?.user.name
    setQuestion({
      title: isOwn ? 'Withdraw your own account?' : `Withdraw ${name}?`,
      action: isOwn ? 'Withdraw my account' : 'Withdraw',
      children:
        acceptedAt === null ? (
          <p>The link does not work any more.</p>
        ) : isOwn ? (
          <p>You are signed out everywhere at once, and come in again only if another admin invites you.</p>
        ) : (
          <p>
            <bdi>{name}</bdi> is signed out everywhere, and all links of that name end. The answers stay.
          </p>
        ),
      confirm: () => void run(() => client.withdrawInvitation(id)),
    })
  }
  const isLost = useRef(false)
  const renew = ({ name, role }: Invitation) => {
    isLost.current = false
    setQuestion({
      title: `A new link for ${name}?`,
      action: 'Make a link',
      children: (
        <>
          <p>
            It signs <bdi>{name}</bdi> in on one more device, with the same answers and rights. For an hour after that a
            new password can be set without the one before.
          </p>
          {name !== state?.user.name && (
            <label className="check">
              <input type="checkbox" onChange={({ target }) => (isLost.current = target.checked)} />A browser was lost:
              sign out all of them now
            </label>
          )}
        </>
      ),
      confirm: () => void run(async () => made(await client.invite({ name, role, signOut: isLost.current }))),
    })
  }
  const changeRole = (name: string, role: Role) => {
    const change = () => void run(() => client.changeRole(name, { role }))
    if (name !== state?.user.name) return change()
    setQuestion({
      title: 'Give up being an admin?',
      action: 'Give it up',
      children: <p>You may only label from now on; another admin can give it back.</p>,
      confirm: change,
    })
  }
  return (
    <>
      <ErrorNotice error={error} />
      <ul className="invitations">
        {all.map((invitation) => {
          const { id, name, role, createdAt, expiresAt, acceptedAt } = invitation
          const isOver = acceptedAt === null && new Date(expiresAt) < new Date()
          const isLastAdmin = acceptedAt !== null && admins.size === 1 && admins.has(name)
          // A second link of somebody changes nothing of what they may do.
          const isAccount = here.find((one) => one.name === name)?.id === id
          return (
            <li key={id}>
              <span>
                <strong dir="auto">{name}</strong>{' '}
                <span className="soft small">
                  {role === 'admin' ? 'admin' : 'rater'}
                  {name === state?.user.name && ', you'} · invited {ago(createdAt)}
                  {isLastAdmin && ' · the only admin: make another one before this one goes'}
                </span>
              </span>
              <span className={`badge ${acceptedAt !== null ? 'done' : isOver ? 'stopped' : 'running'}`}>
                {acceptedAt !== null ? 'accepted' : isOver ? 'expired' : 'open'}
              </span>
              {isAccount ? (
                <select
                  aria-label={`What ${name} may do`}
                  value={role}
                  disabled={isBusy || isLastAdmin}
                  onChange={({ target }) => changeRole(name, target.value === 'admin' ? 'admin' : 'rater')}
                >
                  <option value="rater">label</option>
                  <option value="admin">do everything</option>
                </select>
              ) : (
                <span />
              )}
              {isAccount ? (
                <button
                  type="button"
                  className="button small"
                  aria-label={`New link for ${name}`}
                  disabled={isBusy}
                  onClick={() => renew(invitation)}
                >
                  New link
                </button>
              ) : (
                <span />
              )}
              <button
                type="button"
                className="button small danger"
                aria-label={`Withdraw ${name}`}
                disabled={isBusy || isLastAdmin}
                onClick={() => withdraw(invitation)}
              >
                Withdraw
              </button>
            </li>
          )
        })}
      </ul>
      {question !== undefined && <Confirm {...question} close={() => setQuestion(undefined)} />}
    </>
  )
}
