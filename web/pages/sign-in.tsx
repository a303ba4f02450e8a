import { useEffect } from 'react'
import { StudioError } from '../../src/errors.ts'
import { client } from '../api.ts'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { useAction } from '../remote.ts'
import { go, to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/sign-in.css'

export const SignInPage = () => (
  <main className="gate">
    <div className="card stack">
      <PageHead title="Welcome to the studio">You need an invitation to come in.</PageHead>
      <p>Open the link that an admin has sent you: it signs you in on this device.</p>
      <p className="soft">Your session may have ended. Answers that you gave are kept and sent when you are back.</p>
    </div>
  </main>
)

/** Trying again helps where the studio is away or has too much to do, not where it refuses the link. */
const isClosed = (error: unknown): boolean =>
  error instanceof StudioError && error.status >= 400 && error.status < 500 && error.status !== 429

/** Where an invitation's link leads. */
export function InvitationPage({ token }: { token: string }) {
  const { reload } = useStudio()
  const { run, isBusy, error } = useAction(async () => {
    await client.accept({ token })
    // The token must not stay in the history of the browser.
    history.replaceState(null, '', '#/')
    await reload()
    go()
  })
  useEffect(() => {
    document.title = 'Invitation · Attune studio'
  }, [])
  if (error instanceof StudioError && error.code === 'expired-link') return <DeadLinkPage />
  return (
    <main className="gate">
      <div className="card stack">
        {isClosed(error) ? (
          <PageHead title="This link is closed">
            An invitation opens the studio once, and only for the time that its admin gave it.
          </PageHead>
        ) : (
          <PageHead title="You are invited">Your answers teach a model to draw what people ask for.</PageHead>
        )}
        <ErrorNotice error={error} />
        {!isClosed(error) && (
          <button type="button" className="button primary big" disabled={isBusy} onClick={() => void run()}>
            {isBusy ? 'Signing in …' : 'Come in'}
          </button>
        )}
      </div>
    </main>
  )
}

const DeadLinkPage = () => (
  <main className="gate">
    <div className="card stack">
      <PageHead title="This link does not work any more">It was used already, or its time is over.</PageHead>
      <p>A link signs one person in, once, on one device. Please ask whoever sent it for a new one.</p>
      <p className="soft">If you came in with it on this device before, you may still be signed in.</p>
      <div>
        <a className="button" href={to()}>
          To the studio
        </a>
      </div>
    </div>
  </main>
)
