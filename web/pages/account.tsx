/** One's own account: the password by which one comes in again. */
import { useState } from 'react'
import { StudioError } from '../../src/errors.ts'
import type { PasswordState } from '../../src/studio/schemas/accounts.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { useAction, useRemote } from '../remote.ts'
import { useStudio } from '../studio-state.tsx'
import { speech, useTexts } from '../texts/texts.ts'
import { KeysCard } from './account-keys.tsx'
import '../styles/sign-in.css'

export function AccountPage() {
  const { account } = useTexts()
  const { state } = useStudio()
  if (state?.login !== true) {
    return <PageHead title={account.title}>{state !== undefined && account.local}</PageHead>
  }
  const { name, role } = state.user
  return (
    <>
      <PageHead title={account.title}>{account.about(name ?? '', role === 'admin')}</PageHead>
      <div className="stack">
        <PasswordCard name={name ?? ''} />
        <KeysCard name={name ?? ''} isAdmin={role === 'admin'} />
      </div>
    </>
  )
}

function PasswordCard({ name }: { name: string }) {
  const { account } = useTexts()
  const password = useRemote(() => client.password(), ['password'])
  const [isSaved, setSaved] = useState(false)
  return (
    <section className="card stack" aria-labelledby="password-title">
      <div>
        <h2 id="password-title">{account.password}</h2>
        <p className="soft small">{account.whyPassword}</p>
      </div>
      <Loaded remote={password} heights={[160]}>
        {(state) => (
          <PasswordForm
            key={state.changedAt}
            name={name}
            state={state}
            begun={() => setSaved(false)}
            saved={async () => {
              setSaved(true)
              await password.reload()
            }}
          />
        )}
      </Loaded>
      {isSaved && (
        <p className="notice good" role="status">
          {account.saved}
        </p>
      )}
    </section>
  )
}

interface PasswordFormProps {
  readonly name: string
  readonly state: PasswordState
  readonly begun: () => void
  readonly saved: () => Promise<void>
}

function PasswordForm({ name, state: { changedAt, needsCurrent }, begun, saved }: PasswordFormProps) {
  const { account } = useTexts()
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const [isShown, setShown] = useState(false)
  const { run, isBusy, error } = useAction(async () => {
    begun()
    await client.setPassword({ password: fresh, ...(needsCurrent && { current }) })
    await saved()
  })
  const type = isShown ? 'text' : 'password'
  const isWrong = error instanceof StudioError && error.code === 'wrong-password'
  return (
    <form
      className="password-form"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <p>{changedAt === null ? account.none : account.changed(speech().ago(changedAt))}</p>
      {/* What a browser that keeps passwords files it under. */}
      <input type="text" autoComplete="username" value={name} readOnly hidden />
      {needsCurrent && (
        <div className="field">
          <label htmlFor="password-current">{account.current}</label>
          <input
            id="password-current"
            type={type}
            autoComplete="current-password"
            required
            maxLength={200}
            value={current}
            onChange={({ target }) => setCurrent(target.value)}
          />
        </div>
      )}
      <div className="field">
        <label htmlFor="password-new">{account.fresh}</label>
        <input
          id="password-new"
          type={type}
          autoComplete="new-password"
          required
          minLength={10}
          maxLength={200}
          aria-describedby="password-rule"
          value={fresh}
          onChange={({ target }) => setFresh(target.value)}
        />
        <span id="password-rule" className="hint">
          {account.rule} {account.othersEnd}
        </span>
      </div>
      <label className="check">
        <input type="checkbox" checked={isShown} onChange={({ target }) => setShown(target.checked)} />
        {account.show}
      </label>
      {isWrong ? (
        <p className="notice bad" role="alert">
          {account.wrongCurrent}
        </p>
      ) : (
        <ErrorNotice error={error} />
      )}
      <div>
        <button type="submit" className="button primary" disabled={isBusy || fresh.length < 10}>
          {changedAt === null ? account.set : account.change}
        </button>
      </div>
    </form>
  )
}
