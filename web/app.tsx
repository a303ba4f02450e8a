/** The frame around every page, and which page an address names. */
import { lazy, Suspense, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { client } from './api.ts'
import { Drawer } from './components/drawer.tsx'
import { Icon, type IconName } from './components/icon.tsx'
import { Empty, ErrorNotice, Skeleton } from './components/notice.tsx'
import { ProgressBar, progressText, shareOf } from './components/progress-bar.tsx'
import { Tabs } from './components/tabs.tsx'
import { useJobNews } from './job-news.ts'
import { startSending, useOutbox } from './outbox.ts'
import { HomePage } from './pages/home.tsx'
import { InvitationPage, SignInPage } from './pages/sign-in.tsx'
import { LabelPage } from './pages/label/label-page.tsx'
import { isSignedOut } from './remote.ts'
import { to, useRoute } from './router.ts'
import { isOpen, StudioStateProvider, useStudio } from './studio-state.tsx'
import { LanguageChoice } from './components/language-choice.tsx'
import type { Texts } from './texts/en.ts'
import { useTexts } from './texts/texts.ts'
import { setTheme, themes, useTheme } from './theme.ts'

const TrainPage = lazy(async () => ({ default: (await import('./pages/train/train-page.tsx')).TrainPage }))
const RunsPage = lazy(async () => ({ default: (await import('./pages/runs/runs-page.tsx')).RunsPage }))
const ComparePage = lazy(async () => ({ default: (await import('./pages/compare/compare-page.tsx')).ComparePage }))
const GalleryPage = lazy(async () => ({ default: (await import('./pages/gallery/gallery-page.tsx')).GalleryPage }))
const PlaygroundPage = lazy(async () => ({
  default: (await import('./pages/playground/playground-page.tsx')).PlaygroundPage,
}))
const RewardsPage = lazy(async () => ({ default: (await import('./pages/rewards.tsx')).RewardsPage }))
const HistoryPage = lazy(async () => ({ default: (await import('./pages/history.tsx')).HistoryPage }))
const ModelsPage = lazy(async () => ({ default: (await import('./pages/models/models-page.tsx')).ModelsPage }))
const DataPage = lazy(async () => ({ default: (await import('./pages/data.tsx')).DataPage }))
const RatersPage = lazy(async () => ({ default: (await import('./pages/raters.tsx')).RatersPage }))
const AskingPage = lazy(async () => ({ default: (await import('./pages/asking/asking-page.tsx')).AskingPage }))
const AdminLogPage = lazy(async () => ({ default: (await import('./pages/admin-log.tsx')).AdminLogPage }))
const RaterHistoryPage = lazy(async () => ({ default: (await import('./pages/rater-history.tsx')).RaterHistoryPage })) // prettier-ignore
const AccountPage = lazy(async () => ({ default: (await import('./pages/account.tsx')).AccountPage }))
const ReportPage = lazy(async () => ({ default: (await import('./pages/report.tsx')).ReportPage }))

interface Place {
  readonly path: string
  readonly title: keyof Texts['frame']['places']
  readonly icon: IconName
  /** Raters see it too. */
  readonly forRaters?: boolean
}
const places: readonly Place[] = [
  { path: '', title: 'home', icon: 'home', forRaters: true },
  { path: 'label', title: 'label', icon: 'label', forRaters: true },
  { path: 'gallery', title: 'gallery', icon: 'image' },
  { path: 'playground', title: 'playground', icon: 'policy' },
  { path: 'train', title: 'train', icon: 'train' },
  { path: 'runs', title: 'runs', icon: 'runs' },
  { path: 'compare', title: 'compare', icon: 'compare', forRaters: true },
  { path: 'rewards', title: 'rewards', icon: 'reward' },
  { path: 'reports', title: 'reports', icon: 'report' },
  { path: 'history', title: 'history', icon: 'history' },
  { path: 'models', title: 'models', icon: 'machine' },
  { path: 'data', title: 'data', icon: 'data' },
  { path: 'raters', title: 'raters', icon: 'raters' },
]

export const App = () => (
  <StudioStateProvider>
    <Shell />
  </StudioStateProvider>
)

function Shell() {
  const { frame } = useTexts()
  const [place = '', ...rest] = useRoute()
  const { state, error, offline, reload } = useStudio()
  const [isMenuOpen, setMenuOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const address = [place, ...rest].join('/')
  const first = useRef(true)
  // Whose answers may go out is known with the state, and before a page asks what is left to answer.
  const account = state?.login === true ? state.user.name : undefined
  useJobNews(state?.jobs ?? [])
  const isKnown = state !== undefined
  useLayoutEffect(() => (isKnown ? startSending(account) : undefined), [isKnown, account])
  useEffect(() => {
    setMenuOpen(false)
    if (first.current) {
      first.current = false
      return
    }
    scrollTo(0, 0)
    // What was done on the page before may have changed where the studio stands.
    void reload()
    // A reader of the screen hears that there is a new page.
    main.current?.focus({ preventScroll: true })
  }, [address, reload])

  if (place === 'invitation') return <InvitationPage token={rest[0] ?? ''} />
  if (isSignedOut(error)) return <SignInPage />
  const isAdmin = state?.user.role !== 'rater'
  const shown = places.filter(({ forRaters }) => isAdmin || forRaters === true)
  const nav = <Navigation places={shown} current={place === 'vote' ? 'compare' : place} />
  return (
    <>
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {frame.skip}
      </a>
      <div className="shell">
        <header className="side">
          <Brand />
          {nav}
          <SideFoot />
        </header>
        <header className="top">
          <Brand />
          <button
            type="button"
            className="button quiet icon"
            aria-label={frame.menu}
            aria-haspopup="dialog"
            onClick={() => setMenuOpen(true)}
          >
            <Icon name="menu" />
          </button>
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          {offline && <OfflineBanner />}
          <div className="page">
            {state === undefined && error !== undefined ? (
              <ErrorNotice error={error} retry={() => void reload()} />
            ) : (
              <Suspense fallback={<Skeleton heights={[60, 200, 200]} />}>
                <Page
                  place={place === 'account' || shown.some(({ path }) => path === place) ? place : undefined}
                  rest={rest}
                />
              </Suspense>
            )}
          </div>
        </main>
      </div>
      {isMenuOpen && (
        <Drawer title={frame.menu} side="left" close={() => setMenuOpen(false)}>
          {nav}
          <SideFoot />
        </Drawer>
      )}
    </>
  )
}

function Page({ place, rest }: { place: string | undefined; rest: readonly string[] }): ReactNode {
  const { frame } = useTexts()
  switch (place) {
    case '':
      return <HomePage />
    case 'label':
      return <LabelPage mode={rest[0]} />
    case 'train':
      return <TrainPage rest={rest} />
    case 'runs':
      return <RunsPage />
    case 'compare':
      return <ComparePage rest={rest} />
    case 'gallery':
      return <GalleryPage />
    case 'playground':
      return <PlaygroundPage />
    case 'rewards':
      return <RewardsPage name={rest[0]} />
    case 'reports':
      return <ReportPage name={rest[0]} />
    case 'history':
      return <HistoryPage />
    case 'models':
      return <ModelsPage />
    case 'data':
      return <DataPage />
    case 'account':
      return <AccountPage />
    case 'raters':
      if (rest[0] === 'asking') return <AskingPage />
      if (rest[0] === 'log') return <AdminLogPage />
      if (rest[0] === 'of' && rest[1] !== undefined) return <RaterHistoryPage key={rest[1]} name={rest[1]} />
      return <RatersPage />
    default:
      return (
        <Empty
          icon="help"
          title={frame.noPage}
          isPage
          action={
            <a className="button primary" href={to()}>
              {frame.toFirstPage}
            </a>
          }
        >
          {frame.noPageWhy}
        </Empty>
      )
  }
}

const Brand = () => (
  <a className="brand" href={to()}>
    <img src="/favicon.svg" alt="" width="26" height="26" />
    Attune
  </a>
)

function Navigation({ places: shown, current }: { places: readonly Place[]; current: string }) {
  const { frame } = useTexts()
  const { state } = useStudio()
  const running = state?.jobs.filter(isOpen).length ?? 0
  return (
    <nav className="nav" aria-label={frame.pages}>
      <ul>
        {shown.map(({ path, title, icon }) => (
          <li key={path}>
            <a href={path === '' ? to() : to(path)} aria-current={path === current ? 'page' : undefined}>
              <Icon name={icon} />
              {frame.places[title]}
              {path === 'train' && running > 0 && (
                <span className="tally" aria-label={frame.runningOrWaiting(running)}>
                  {running}
                </span>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function SideFoot() {
  const { account, frame } = useTexts()
  const { state } = useStudio()
  const theme = useTheme()
  const job = state?.jobs.find(({ state: one }) => one === 'running' || one === 'stopping')
  return (
    <div className="side-foot">
      {job !== undefined && (
        <a className="side-job" href={to('train', 'job', job.id)}>
          <strong>{job.run}</strong>
          <ProgressBar share={shareOf(job)} label={frame.progressOf(job.run)} />
          <span className="soft">{progressText(job)}</span>
        </a>
      )}
      <Tabs
        label={frame.colours}
        value={theme}
        options={themes.map((value) => ({ value, label: frame.themes[value] }))}
        choose={setTheme}
      />
      <LanguageChoice />
      {state !== undefined && (
        <span dir="auto">
          {state.user.name !== null &&
            (state.login ? (
              <>
                <a className="text-link" href={to('account')} title={account.title}>
                  {state.user.name}
                </a>
                {' · '}
              </>
            ) : (
              `${state.user.name} · `
            ))}
          {state.workspace} · {state.version}
        </span>
      )}
      {state?.login === true && (
        <button
          type="button"
          className="button small"
          onClick={() => void client.logout().finally(() => location.reload())}
        >
          {frame.signOut}
        </button>
      )}
    </div>
  )
}

function OfflineBanner() {
  const { frame } = useTexts()
  const { waiting } = useOutbox()
  return (
    <div className="banner" role="status">
      <Icon name="offline" />
      <span>
        {frame.offline}
        {waiting > 0 && ` ${frame.answersWait(waiting)}`}
      </span>
    </div>
  )
}
