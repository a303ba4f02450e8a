/** What admins did: who, when, what, and how it was before and after. */
import { useState } from 'react'
import type { AdminAct } from '../../src/studio/schemas/accounts.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { useAction, useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { speech, useTexts } from '../texts/texts.ts'
import '../styles/raters.css'

export function AdminLogPage() {
  const { adminLog, frame, raters } = useTexts()
  const first = useRemote(() => client.adminActs(), ['admin-log'])
  const [more, setMore] = useState<{ readonly acts: readonly AdminAct[]; readonly next: number | null }>()
  const further = useAction(async (below: number) => {
    const page = await client.adminActs({ below })
    setMore((before) => ({ acts: [...(before?.acts ?? []), ...page.acts], next: page.next }))
  })
  return (
    <>
      <p className="back">
        <a className="text-link" href={to('raters')}>
          {raters.all}
        </a>
      </p>
      <PageHead
        title={raters.log}
        side={
          <a className="button" href={client.adminActsUrl()} download>
            {adminLog.downloadAll}
          </a>
        }
      >
        {adminLog.about}
      </PageHead>
      <Loaded remote={first} heights={[300]}>
        {({ acts, next }) => {
          const below = more === undefined ? next : more.next
          const all = [...acts, ...(more?.acts ?? [])]
          if (all.length === 0) return <p className="notice">{adminLog.nothing}</p>
          return (
            <div className="stack">
              <ul className="acts">
                {all.map((act) => (
                  <Act key={act.sequence} act={act} />
                ))}
              </ul>
              <ErrorNotice error={further.error} />
              {below !== null && (
                <div>
                  <button
                    type="button"
                    className="button"
                    disabled={further.isBusy}
                    onClick={() => void further.run(below)}
                  >
                    {frame.earlier}
                  </button>
                </div>
              )}
            </div>
          )
        }}
      </Loaded>
    </>
  )
}

function Act({ act: { at, who, key, what, address, asked, before, after, outcome } }: { act: AdminAct }) {
  const { adminLog, errors } = useTexts()
  const changes = changesOf(before, after)
  return (
    <li className="card">
      <div className="row between">
        <span>
          <strong dir="auto">{who}</strong>
          {key !== null && (
            <>
              {' '}
              {adminLog.byKey} <bdi>{key}</bdi>
            </>
          )}{' '}
          <span className="soft small">· {speech().moment(at)}</span>
        </span>
        {outcome !== 'done' && (
          <span className="badge stopped">{adminLog.refused(errors.byCode[outcome]?.what ?? outcome)}</span>
        )}
      </div>
      <p>{adminLog.acts[what] ?? what}</p>
      {changes.length > 0 && (
        <dl className="facts">
          {changes.map(([name, from, into]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd dir="auto">
                {from} → {into}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <details>
        <summary className="soft small">
          <code>{address}</code>
        </summary>
        <pre tabIndex={0}>{JSON.stringify({ asked, before, after }, undefined, 2)}</pre>
      </details>
    </li>
  )
}

/** What differs, in words of one line. */
function changesOf(before: unknown, after: unknown): [name: string, from: string, to: string][] {
  const fields = (state: unknown) =>
    typeof state === 'object' && state !== null && !Array.isArray(state)
      ? new Map(Object.entries(state).map(([name, value]) => [name, shown(value)]))
      : new Map<string, string>()
  const [from, into] = [fields(before), fields(after)]
  return [...new Set([...from.keys(), ...into.keys()])]
    .filter((name) => from.get(name) !== into.get(name))
    .map((name) => [name, from.get(name) ?? '–', into.get(name) ?? '–'])
}

const longestShown = 200

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '–')
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}
