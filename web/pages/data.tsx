/** Judgments in and out, and pictures of one's own. */
import { useEffect, useState } from 'react'
import { exportFormatNames, formats } from '../../src/feedback/formats/formats.ts'
import { client } from '../api.ts'
import { DropZone } from '../components/drop-zone.tsx'
import { Icon } from '../components/icon.tsx'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { plural } from '../format.ts'
import { useAction } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/data.css'
import { ImportJudgments } from './data/import-judgments.tsx'

export function DataPage() {
  return (
    <>
      <PageHead title="Data">Judgments come in and go out in formats that other tools read.</PageHead>
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
  const { state } = useStudio()
  const count = state?.counts.judgments ?? 0
  return (
    <section className="card stack">
      <div>
        <h2>Export judgments</h2>
        <p className="soft small">
          {count === 0
            ? 'There is nothing to export yet.'
            : `${plural(count, 'judgment')}, with the images’ SHA-256, pseudonyms of raters, times and the consent text.`}
        </p>
      </div>
      <ul className="exports">
        {exportFormatNames.map((format) => (
          <li key={format}>
            <span>
              <strong>{formats[format].title}</strong>
              <span className="soft small">{formats[format].about}</span>
            </span>
            {count === 0 ? (
              <span className="button small" aria-disabled="true">
                Download
              </span>
            ) : (
              <a
                className="button small"
                href={client.exportUrl(format)}
                download
                aria-label={`Download as ${formats[format].title}`}
              >
                <Icon name="data" size={16} /> Download
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
  const [weights, setWeights] = useState(false)
  return (
    <section className="card stack">
      <div>
        <h2>Backup</h2>
        <p className="soft small">
          Everything of this studio in one file: judgments, people, images and what every run has told, as it is now,
          while others go on labelling. On any machine <code>attune studio restore FILE</code> makes a studio of it,
          with SQLite or PostgreSQL. Keep it where nobody else reads it: it holds who may sign in.
        </p>
      </div>
      <div className="row">
        <a className="button" href={client.backupUrl(weights)} download>
          <Icon name="data" size={16} /> Download a backup
        </a>
        <label className="check">
          <input type="checkbox" checked={weights} onChange={({ target }) => setWeights(target.checked)} />
          With the weights of policies and rewards, which are large
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
        <h2>Images of your own</h2>
        <p className="soft small">
          PNG, JPEG or WebP, each with its prompt. They become a round that people can judge.
        </p>
      </div>
      <DropZone accept="image/png,image/jpeg,image/webp" isMany take={take} label="Choose images">
        <span className="by-mouse">or drop them here</span>
      </DropZone>
      {picked.length > 0 && (
        <ul className="uploads">
          {picked.map(({ file, url, prompt }, place) => (
            <li key={`${file.name} ${place}`}>
              <img src={url} alt="" width="56" height="56" />
              <input
                type="text"
                value={prompt}
                aria-label={`Prompt of ${file.name}`}
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
                aria-label={`Leave out ${file.name}`}
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
            {plural(told.images, 'image')} taken in. {told.images > 0 && <a href={to('label')}>Label them</a>}
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
            {isBusy ? 'Sending …' : `Take in ${plural(picked.length, 'image')}`}
          </button>
        </div>
      )}
    </form>
  )
}
