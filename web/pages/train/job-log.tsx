/** The log of a job: its last lines, which follow it while it runs; searched on the server; as a file. */
import { useEffect, useRef, useState } from 'react'
import type { JobDetail, JobLog as Part } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { ErrorNotice } from '../../components/notice.tsx'
import { size } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

/** Lines of one search, beyond which it is asked whether more are wanted. */
const most = 200
/** Around a line that was found. */
const context = 100

interface Found {
  readonly title: string
  readonly lines: readonly string[]
  /** Where the search can go on. */
  readonly next: number | null
}

export function JobLog({ job }: { job: JobDetail }) {
  const texts = useTexts().job.log
  const box = useRef<HTMLPreElement>(null)
  const [text, setText] = useState('')
  const [found, setFound] = useState<Found>()
  const last = job.log.at(-1)
  useEffect(() => {
    if (found === undefined) box.current?.scrollTo({ top: box.current.scrollHeight })
  }, [last, found])
  const { run, isBusy, error } = useAction(async (from: number) => {
    const before = from === 0 ? [] : (found?.lines ?? [])
    const {
      lines,
      next,
      size: whole,
    } = await through(from, (at) => client.jobLog(job.id, { from: at, find: text, count: most }))
    const all = [...before, ...lines.map((line) => line.text)]
    setFound({
      title: texts.found(all.length, text),
      lines: all,
      next: lines.length === most && next < whole ? next : null,
    })
  })
  const toError = useAction(async () => {
    const { lines } = await through(0, (at) => client.jobLog(job.id, { from: at, errors: 'true', count: 1 }))
    if (lines.length === 0) return setFound({ title: texts.noError, lines: [], next: null })
    const around = await client.jobLog(job.id, { from: lines[0].at, count: context })
    setFound({ title: texts.fromError, lines: around.lines.map((line) => line.text), next: null })
  })
  if (job.log.length === 0) return null
  const shown = found?.lines ?? job.log
  return (
    <details open={job.state === 'failed'}>
      <summary>{texts.title}</summary>
      <form
        className="row log-search"
        role="search"
        aria-label={texts.title}
        onSubmit={(event) => {
          event.preventDefault()
          if (text !== '') void run(0)
        }}
      >
        <input
          type="text"
          aria-label={texts.text}
          placeholder={texts.findIn}
          maxLength={200}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <button type="submit" className="button small" disabled={isBusy || text === ''}>
          {texts.find}
        </button>
        <button type="button" className="button small" disabled={toError.isBusy} onClick={() => void toError.run()}>
          {texts.firstError}
        </button>
        {found !== undefined && (
          <button type="button" className="button small quiet" onClick={() => setFound(undefined)}>
            {texts.lastLines}
          </button>
        )}
        <a className="button small quiet" href={client.jobLogUrl(job.id)} download>
          {texts.download}
        </a>
      </form>
      <ErrorNotice error={error ?? toError.error} />
      {found !== undefined && (
        <p className="soft small" role="status">
          {found.title}
        </p>
      )}
      {shown.length > 0 && (
        <pre className="log" ref={box} tabIndex={0} aria-label={found?.title ?? texts.lastLinesOf}>
          {shown.join('\n')}
        </pre>
      )}
      {found !== undefined && found.next !== null && (
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run(found.next ?? 0)}>
          {texts.findMore(size(found.next))}
        </button>
      )}
    </details>
  )
}

/** Answers of a long log may hold nothing: it is asked again until something is found, or the log ends. */
async function through(from: number, ask: (from: number) => Promise<Part>): Promise<Part> {
  let part = await ask(from)
  while (part.lines.length === 0 && part.next < part.size && part.next > from) {
    from = part.next
    part = await ask(from)
  }
  return part
}
