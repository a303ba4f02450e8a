import { useEffect, type ReactNode } from 'react'
import { StudioError } from '../../src/errors.ts'
import { client } from '../api.ts'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { useAction } from '../remote.ts'
import { go, to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { LanguageChoice } from '../components/language-choice.tsx'
import '../styles/sign-in.css'

export function SignInPage() {
  const { signIn } = useTexts()
  return (
    <Gate>
      <PageHead title={signIn.welcome}>{signIn.needInvitation}</PageHead>
      <p>{signIn.openLink}</p>
      <p className="soft">{signIn.sessionEnded}</p>
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
  const { signIn, frame } = useTexts()
  const { reload } = useStudio()
  const { run, isBusy, error } = useAction(async () => {
    await client.accept({ token })
    // The token must not stay in the history of the browser.
    history.replaceState(null, '', '#/')
    await reload()
    go()
  })
  useEffect(() => {
    document.title = frame.titled(signIn.invitation)
  }, [frame, signIn])
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
