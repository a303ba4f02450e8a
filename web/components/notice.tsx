/** What a page shows where its content is missing, late, refused or out of reach. */
import type { ReactNode } from 'react'
import { StudioError } from '../../src/errors.ts'
import { capital } from '../format.ts'
import { usePageTitle } from '../page-title.ts'
import { isOffline, type Remote } from '../remote.ts'
import { useTexts } from '../texts/texts.ts'
import { Icon, type IconName } from './icon.tsx'

/** Why something was refused, and what to do. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const { errors } = useTexts()
  if (error === undefined) return null
  const again = retry && (
    <span>
      <button type="button" className="button small" onClick={retry}>
        {errors.tryAgain}
      </button>
    </span>
  )
  if (isOffline(error)) {
    return (
      <div className="notice warn" role="status">
        <strong>{errors.noAnswer}</strong>
        <span>{errors.stillRunning}</span>
        {again}
      </div>
    )
  }
  if (error instanceof StudioError) {
    const { where, expected, received, remedy, code } = error
    const said = errors.byCode[code]
    const details = (
      <>
        <strong>{isWord(where) ? capital(where) : where}</strong>
        <span>{errors.expected(expected, received)}</span>
        <span>{capital(remedy.replace(/\.$/, ''))}.</span>
      </>
    )
    return (
      <div className="notice bad" role="alert" dir="auto">
        {said === undefined ? (
          details
        ) : (
          <>
            <strong>{said.what}</strong>
            <span>{said.then}</span>
            <details lang="en">
              <summary>{errors.inEnglish}</summary>
              <div className="stack tight">{details}</div>
            </details>
          </>
        )}
        {again}
      </div>
    )
  }
  return (
    <div className="notice bad" role="alert">
      <strong>{errors.pageFailed}</strong>
      <span>{error instanceof Error ? error.message : String(error)}</span>
      {again}
    </div>
  )
}

/** `comparison`; not `labels.csv:3 image`, which is written as it is. */
const isWord = (where: string) => /^[a-z ]+$/.test(where)

interface EmptyProps {
  readonly icon: IconName
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
  /** There is nothing else on the page: its title is the page's. */
  readonly isPage?: boolean
}

export function Empty({ icon, title, children, action, isPage = false }: EmptyProps) {
  const Heading = isPage ? 'h1' : 'h2'
  usePageTitle(isPage ? title : undefined)
  return (
    <div className="empty">
      <Icon name={icon} size={36} />
      <Heading>{title}</Heading>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  )
}

/** Grey shapes in place of what is on its way. */
export function Skeleton({ heights = [120, 120] }: { heights?: readonly number[] }) {
  const { frame } = useTexts()
  return (
    <div className="stack" aria-busy="true">
      <span className="hidden" role="status">
        {frame.loading}
      </span>
      {heights.map((height, i) => (
        <div key={i} className="skeleton" style={{ height }} />
      ))}
    </div>
  )
}

/** Content that has arrived, or the state that it is in. */
export function Loaded<T>({
  remote,
  heights,
  children,
}: {
  remote: Remote<T>
  heights?: readonly number[]
  children: (value: T) => ReactNode
}) {
  const { value, error, reload } = remote
  return (
    <>
      {error !== undefined && !(isOffline(error) && value !== undefined) && (
        <ErrorNotice error={error} retry={() => void reload()} />
      )}
      {value !== undefined ? children(value) : error === undefined ? <Skeleton heights={heights} /> : null}
    </>
  )
}
