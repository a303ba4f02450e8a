/** Judgments in and out, and pictures of one's own. */
import { useEffect, useId, useState, type ReactNode } from 'react'
import {
  exportFormats,
  importFormats,
  type ExportFormat,
  type ImportFormat,
} from '../../src/studio/schemas/transfer.ts'
import { client, raterName } from '../api.ts'
import { Icon } from '../components/icon.tsx'
import { ErrorNotice } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { figure, plural } from '../format.ts'
import { useAction } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/data.css'

const formatTitles: Readonly<Record<ImportFormat | ExportFormat, readonly [string, string]>> = {
  csv: ['CSV', 'a row an answer; opens in any spreadsheet'],
  jsonl: ['JSON lines', 'everything that is known of each judgment'],
  'pick-a-pic': ['Pick-a-Pic', 'Parquet with the image bytes inside; for reward training elsewhere'],
  'image-reward': ['ImageReward', 'JSON with a ranking of each prompt'],
  hpdv2: ['HPDv2', 'JSON with preferences or ranks'],
  'label-studio': ['Label Studio', 'JSON export of choices, pairs and rankings'],
}

export function DataPage() {
  return (
    <>
      <PageHead title="Data">Judgments come in and go out in formats that other tools read.</PageHead>
      <div className="stack">
        <div className="columns">
          <Import />
          <Export />
        </div>
        <Upload />
      </div>
    </>
  )
}

/** By the end of a name; JSON can be several. */
function guess(name: string): ImportFormat | undefined {
  if (/\.(csv|tsv)$/i.test(name)) return 'csv'
  if (/\.jsonl$/i.test(name)) return 'jsonl'
  if (/\.parquet$/i.test(name)) return 'pick-a-pic'
  if (/\.json$/i.test(name)) return 'image-reward'
  return undefined
}

function Import() {
  const { reload } = useStudio()
  const [file, setFile] = useState<File>()
  const [format, setFormat] = useState<ImportFormat>('csv')
  const [rater, setRater] = useState(raterName() ?? '')
  const [told, setTold] = useState('')
  const ids = { format: useId(), rater: useId() }
  const { run, isBusy, error, clear } = useAction(async () => {
    if (file === undefined) return
    setTold('')
    const { added, known, unanswered } = await client.import(file, {
      format,
      name: file.name,
      ...(rater.trim() !== '' && { rater: rater.trim() }),
    })
    setFile(undefined)
    setTold(
      `${plural(added, 'judgment')} added, ${figure(known)} known before${unanswered > 0 ? `, ${figure(unanswered)} rows without an answer` : ''}.`,
    )
    await reload()
  })
  const take = ([given]: readonly File[]) => {
    if (given === undefined) return
    clear()
    setTold('')
    setFile(given)
    setFormat(guess(given.name) ?? format)
  }
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <h2>Import judgments</h2>
      <DropZone accept=".csv,.tsv,.jsonl,.json,.parquet" take={take} label="Choose a file">
        {file === undefined ? 'or drop it here' : file.name}
      </DropZone>
      <div className="fields">
        <div className="field">
          <label htmlFor={ids.format}>Format</label>
          <select id={ids.format} value={format} onChange={({ target }) => setFormat(target.value as ImportFormat)}>
            {importFormats.map((one) => (
              <option key={one} value={one}>
                {formatTitles[one][0]}
              </option>
            ))}
          </select>
          <span className="hint">{formatTitles[format][1]}</span>
        </div>
        <div className="field">
          <label htmlFor={ids.rater}>Rater</label>
          <input
            id={ids.rater}
            type="text"
            value={rater}
            maxLength={200}
            onChange={({ target }) => setRater(target.value)}
          />
          <span className="hint">For rows that name nobody.</span>
        </div>
      </div>
      <ErrorNotice error={error} />
      {told !== '' && (
        <p className="notice good" role="status">
          {told}
        </p>
      )}
      <div>
        <button type="submit" className="button primary" disabled={file === undefined || isBusy}>
          {isBusy ? 'Importing …' : 'Import'}
        </button>
      </div>
    </form>
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
        {exportFormats.map((format) => (
          <li key={format}>
            <span>
              <strong>{formatTitles[format][0]}</strong>
              <span className="soft small">{formatTitles[format][1]}</span>
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
                aria-label={`Download as ${formatTitles[format][0]}`}
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
        or drop them here
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

interface DropZoneProps {
  readonly accept: string
  readonly isMany?: boolean
  readonly label: string
  readonly take: (files: readonly File[]) => void
  readonly children: ReactNode
}

/** Files by a picker, or dropped. */
function DropZone({ accept, isMany = false, label, take, children }: DropZoneProps) {
  const [isOver, setOver] = useState(false)
  const id = useId()
  return (
    <div
      className="drop-zone"
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        take([...event.dataTransfer.files])
      }}
    >
      <input
        id={id}
        className="hidden"
        type="file"
        accept={accept}
        multiple={isMany}
        onChange={({ target }) => {
          take([...(target.files ?? [])])
          target.value = ''
        }}
      />
      <label htmlFor={id} className="button">
        {label}
      </label>
      <span className="soft" dir="auto">
        {children}
      </span>
    </div>
  )
}
