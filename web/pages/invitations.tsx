import { useRef, useState } from 'react'
import type { Invitation, InvitationLink } from '../../src/studio/schemas/accounts.ts'
import { client } from '../api.ts'
import { Confirm, type ConfirmProps } from '../components/confirm.tsx'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { ago } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'

/** Who may come in; a link is told once. */
export function Invitations() {
  const { account, invitations: texts } = useTexts()
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
        <h2>{texts.title}</h2>
        <p className="soft small">{texts.about}</p>
      </div>
      <form
        className="invite"
        onSubmit={(event) => {
          event.preventDefault()
          void invite.run()
        }}
      >
        <div className="field">
          <label htmlFor="invite-name">{texts.name}</label>
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
          <label htmlFor="invite-role">{texts.may}</label>
          <select
            id="invite-role"
            value={role}
            onChange={({ target }) => setRole(target.value === 'admin' ? 'admin' : 'rater')}
          >
            <option value="rater">{texts.roles.rater}</option>
            <option value="admin">{texts.roles.admin}</option>
          </select>
        </div>
        <button type="submit" className="button primary" disabled={invite.isBusy || name.trim() === ''}>
          {texts.invite}
        </button>
      </form>
      <ErrorNotice error={invite.error} />
      {link !== undefined && (
        <div className="notice good" role="status">
          <strong>{texts.sendIt}</strong>
          <code>{link}</code>
          <div>
            <button
              type="button"
              className="button small"
              onClick={() => void navigator.clipboard?.writeText(link).then(() => setCopied(true))}
            >
              {isCopied ? account.copied : account.copy}
            </button>
          </div>
        </div>
      )}
      <Loaded remote={invitations} heights={[80]}>
        {({ invitations: all }) =>
          all.length === 0 ? (
            <p className="soft">{texts.nobody}</p>
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
  const { invitations: texts } = useTexts()
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
      title: isOwn ? texts.askWithdrawOwn : texts.askWithdraw(name),
      action: isOwn ? texts.withdrawOwn : texts.withdraw,
      children:
        acceptedAt === null ? (
          <p>{texts.linkEnds}</p>
        ) : isOwn ? (
          <p>{texts.ownEnds}</p>
        ) : (
          <p>
            <bdi>{name}</bdi> {texts.isSignedOut}
          </p>
        ),
      confirm: () => void run(() => client.withdrawInvitation(id)),
    })
  }
  const isLost = useRef(false)
  const renew = ({ name, role }: Invitation) => {
    isLost.current = false
    setQuestion({
      title: texts.askRenew(name),
      action: texts.makeLink,
      children: (
        <>
          <p>
            <bdi>{name}</bdi> {texts.comesIn}
          </p>
          {name !== state?.user.name && (
            <label className="check">
              <input type="checkbox" onChange={({ target }) => (isLost.current = target.checked)} />
              {texts.wasLost}
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
      title: texts.askGiveUp,
      action: texts.giveUp,
      children: <p>{texts.givingUp}</p>,
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
                  {role === 'admin' ? texts.isAdmin : texts.isRater}
                  {name === state?.user.name && `, ${texts.you}`} · {texts.invited(ago(createdAt))}
                  {isLastAdmin && ` · ${texts.onlyAdmin}`}
                </span>
              </span>
              <span className={`badge ${acceptedAt !== null ? 'done' : isOver ? 'stopped' : 'running'}`}>
                {acceptedAt !== null ? texts.accepted : isOver ? texts.expired : texts.open}
              </span>
              {isAccount ? (
                <select
                  aria-label={texts.whatMay(name)}
                  value={role}
                  disabled={isBusy || isLastAdmin}
                  onChange={({ target }) => changeRole(name, target.value === 'admin' ? 'admin' : 'rater')}
                >
                  <option value="rater">{texts.roles.rater}</option>
                  <option value="admin">{texts.roles.admin}</option>
                </select>
              ) : (
                <span />
              )}
              {isAccount ? (
                <button
                  type="button"
                  className="button small"
                  aria-label={texts.renewOf(name)}
                  disabled={isBusy}
                  onClick={() => renew(invitation)}
                >
                  {texts.renew}
                </button>
              ) : (
                <span />
              )}
              <button
                type="button"
                className="button small danger"
                aria-label={texts.withdrawOf(name)}
                disabled={isBusy || isLastAdmin}
                onClick={() => withdraw(invitation)}
              >
                {texts.withdraw}
              </button>
            </li>
          )
        })}
      </ul>
      {question !== undefined && <Confirm {...question} close={() => setQuestion(undefined)} />}
    </>
  )
}
