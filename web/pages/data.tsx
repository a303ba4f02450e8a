/** Judgments in and out, and pictures of one's own. */
import { useEffect, useState } from 'react'
import { exportFormatNames, formats } from '../../src/feedback/formats/formats.ts'
import { client } from '../api.ts'
import { DropZone } from '../components/drop-zone.tsx'
import { Icon } from '../components/icon.tsx'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { Sentence } from '../components/sentence.tsx'
import { useAction } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import '../styles/data.css'
import { ImportJudgments } from './data/import-judgments.tsx'

export function DataPage() {
  const { data } = useTexts()
  return (
    <>
      <PageHead title={data.title}>{data.about}</PageHead>
      <div className="stack">
        <div className="columns">
          <ImportJudgments />
          <Export />
        </div>
        <Upload />
        <Backup />
      </div>
    </>
  )
}

function Export() {
  const { data } = useTexts()
  const { state } = useStudio()
  const count = state?.counts.judgments ?? 0
  return (
    <section className="card stack">
      <div>
        <h2>{data.export}</h2>
        <p className="soft small">{count === 0 ? data.nothingToExport : data.exported(count)}</p>
      </div>
      <ul className="exports">
        {exportFormatNames.map((format) => (
          <li key={format}>
            <span>
              <strong>{formats[format].title}</strong>
              <span className="soft small">{data.formats[format] ?? formats[format].about}</span>
            </span>
            {count === 0 ? (
              <span className="button small" aria-disabled="true">
                {data.download}
              </span>
            ) : (
              <a
                className="button small"
                href={client.exportUrl(format)}
                download
                aria-label={data.downloadAs(formats[format].title)}
              >
                <Icon name="data" size={16} /> {data.download}
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Everything in one file: it is made while it is taken, so nothing waits. */
function Backup() {
  const { data } = useTexts()
  const [weights, setWeights] = useState(false)
  return (
    <section className="card stack">
      <div>
        <h2>{data.backup}</h2>
        <p className="soft small">
          <Sentence text={data.backupWhat} />
        </p>
      </div>
      <div className="row">
        <a className="button" href={client.backupUrl(weights)} download>
          <Icon name="data" size={16} /> {data.downloadBackup}
        </a>
        <label className="check">
          <input type="checkbox" checked={weights} onChange={({ target }) => setWeights(target.checked)} />
          {data.withWeights}
        </label>
      </div>
    </section>
  )
}

interface Picked {
  readonly file: File
  readonly url: string
  readonly prompt: string
}

/** `a_red-circle.png` → `a red circle` */
const promptOf = (name: string) =>
  name
    .replace(/\.[^.]+$/, '')
    .replaceAll(/[_-]+/g, ' ')
    .trim()

function Upload() {
  const { data } = useTexts()
  const { reload } = useStudio()
  const [picked, setPicked] = useState<readonly Picked[]>([])
  const [told, setTold] = useState<Awaited<ReturnType<typeof client.upload>>>()
  useEffect(() => () => picked.forEach(({ url }) => URL.revokeObjectURL(url)), [picked])
  const { run, isBusy, error, clear } = useAction(async () => {
    setTold(undefined)
    const answer = await client.upload(
      picked.map(({ file }) => file),
      picked.map(({ prompt }) => prompt.trim()),
    )
    setTold(answer)
    setPicked([])
    await reload()
  })
  const take = (files: readonly File[]) => {
    clear()
    setTold(undefined)
    const held = [
      ...picked.map(({ file, prompt }) => ({ file, prompt })),
      ...files.map((file) => ({ file, prompt: promptOf(file.name) })),
    ]
    setPicked(held.slice(0, 500).map((one) => ({ ...one, url: URL.createObjectURL(one.file) })))
  }
  const isMissing = picked.some(({ prompt }) => prompt.trim() === '')
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <div>
        <h2>{data.ownImages}</h2>
        <p className="soft small">{data.ownImagesHow}</p>
      </div>
      <DropZone accept="image/png,image/jpeg,image/webp" isMany take={take} label={data.chooseImages}>
        <span className="by-mouse">{data.dropThem}</span>
      </DropZone>
      {picked.length > 0 && (
        <ul className="uploads">
          {picked.map(({ file, url, prompt }, place) => (
            <li key={`${file.name} ${place}`}>
              <img src={url} alt="" width="56" height="56" />
              <input
                type="text"
                value={prompt}
                aria-label={data.promptOf(file.name)}
                dir="auto"
                onChange={({ target }) =>
                  setPicked(
                    picked.map((one, i) =>
                      i === place
                        ? { ...one, prompt: target.value, url: URL.createObjectURL(one.file) }
                        : { ...one, url: URL.createObjectURL(one.file) },
                    ),
                  )
                }
              />
              <button
                type="button"
                className="button quiet icon"
                aria-label={data.leaveOut(file.name)}
                onClick={() =>
                  setPicked(
                    picked.flatMap((one, i) => (i === place ? [] : [{ ...one, url: URL.createObjectURL(one.file) }])),
                  )
                }
              >
                <Icon name="close" size={18} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <ErrorNotice error={error} />
      {told !== undefined && (
        <div className={told.broken.length > 0 ? 'notice warn' : 'notice good'} role="status">
          <span>
            {data.takenIn(told.images)} {told.images > 0 && <a href={to('label')}>{data.labelThem}</a>}
          </span>
          {told.broken.map(({ file, reason }) => (
            <span key={file} dir="auto">
              <strong>{file}</strong>: {reason}
            </span>
          ))}
        </div>
      )}
      {picked.length > 0 && (
        <div>
          <button type="submit" className="button primary" disabled={isBusy || isMissing}>
            {isBusy ? data.sending : data.takeIn(picked.length)}
          </button>
        </div>
      )}
    </form>
  )
}
