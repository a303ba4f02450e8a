import { useState, type ReactNode } from 'react'
import { StudioError } from '../../src/errors.ts'
import { client } from '../api.ts'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { usePageTitle } from '../page-title.ts'
import { useAction } from '../remote.ts'
import { go, to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { LanguageChoice } from '../components/language-choice.tsx'
import '../styles/sign-in.css'

/** By name and password, or what to do without one. */
export function SignInPage() {
  const { signIn } = useTexts()
  const { reload } = useStudio()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const { run, isBusy, error } = useAction(async () => {
    await client.signIn({ name, password })
    await reload()
  })
  const code = error instanceof StudioError ? error.code : undefined
  const said = { 'wrong-password': signIn.wrongPassword, 'too-many-requests': signIn.tooOften }[code ?? '']
  return (
    <Gate>
      <PageHead title={signIn.welcome}>{signIn.needAccount}</PageHead>
      <form
        className="stack tight"
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <div className="field">
          <label htmlFor="sign-in-name">{signIn.name}</label>
          <input
            id="sign-in-name"
            type="text"
            autoComplete="username"
            required
            maxLength={200}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor="sign-in-password">{signIn.password}</label>
          <input
            id="sign-in-password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={200}
            value={password}
            onChange={({ target }) => setPassword(target.value)}
          />
        </div>
        {said === undefined ? (
          <ErrorNotice error={error} />
        ) : (
          <p className="notice bad" role="alert">
            {said}
          </p>
        )}
        <div>
          <button type="submit" className="button primary" disabled={isBusy || name.trim() === '' || password === ''}>
            {isBusy ? signIn.signingIn : signIn.signIn}
          </button>
        </div>
      </form>
      <div className="stack tight small">
        <h2>{signIn.noPassword}</h2>
        <p>{signIn.openLink}</p>
        <p>
          {signIn.onTheMachine} <code>attune studio invite --admin</code>
        </p>
        <p className="soft">{signIn.sessionEnded}</p>
      </div>
    </Gate>
  )
}

const Gate = ({ children }: { children: ReactNode }) => (
  <main className="gate">
    <div className="card stack">
      {children}
      <LanguageChoice />
    </div>
  </main>
)

/** Trying again helps where the studio is away or has too much to do, not where it refuses the link. */
const isClosed = (error: unknown): boolean =>
  error instanceof StudioError && error.status >= 400 && error.status < 500 && error.status !== 429

/** Where an invitation's link leads. */
export function InvitationPage({ token }: { token: string }) {
  const { signIn } = useTexts()
  const { reload } = useStudio()
  const { run, isBusy, error } = useAction(async () => {
    await client.accept({ token })
    // The token must not stay in the history of the browser.
    history.replaceState(null, '', '#/')
    await reload()
    go()
  })
  usePageTitle(signIn.invitation)
  if (error instanceof StudioError && error.code === 'expired-link') return <DeadLinkPage />
  return (
    <Gate>
      {isClosed(error) ? (
        <PageHead title={signIn.linkClosed}>{signIn.opensOnce}</PageHead>
      ) : (
        <PageHead title={signIn.invited}>{signIn.answersTeach}</PageHead>
      )}
      <ErrorNotice error={error} />
      {!isClosed(error) && (
        <button type="button" className="button primary big" disabled={isBusy} onClick={() => void run()}>
          {isBusy ? signIn.signingIn : signIn.comeIn}
        </button>
      )}
    </Gate>
  )
}

function DeadLinkPage() {
  const { signIn } = useTexts()
  return (
    <Gate>
      <PageHead title={signIn.deadLink}>{signIn.deadLinkWhy}</PageHead>
      <p>{signIn.askAgain}</p>
      <p className="soft">{signIn.mayBeSignedIn}</p>
      <div>
        <a className="button" href={to()}>
          {signIn.toStudio}
        </a>
      </div>
    </Gate>
  )
}
