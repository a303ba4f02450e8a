/** Judgments of a file, with the images that it names. */
import { useId, useState } from 'react'
import {
  importFormatNames,
  formats,
  likelyFormat,
  type ImportFormatName,
} from '../../../src/feedback/formats/formats.ts'
import type { Imported } from '../../../src/studio/schemas/transfer.ts'
import { client, raterName } from '../../api.ts'
import { DropZone } from '../../components/drop-zone.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { useAction } from '../../remote.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

const mostNamed = 20

const endings = ['.tsv', ...new Set(importFormatNames.map((name) => formats[name].ending))].join()

const guess = async (file: File) => likelyFormat(file.name, await file.slice(0, 65_536).text())

export function ImportJudgments() {
  const { data } = useTexts()
  const { reload } = useStudio()
  const [file, setFile] = useState<File>()
  const [pictures, setPictures] = useState<readonly File[]>([])
  const [format, setFormat] = useState<ImportFormatName>('csv')
  const [rater, setRater] = useState(raterName() ?? '')
  const [told, setTold] = useState<Imported>()
  const ids = { format: useId(), rater: useId() }
  const { run, isBusy, error, clear } = useAction(async () => {
    if (file === undefined) return
    setTold(undefined)
    const sent = formats[format].pictures === 'beside' ? pictures : []
    const fields = { format, name: file.name, ...(rater.trim() !== '' && { rater: rater.trim() }) }
    setTold(await client.import(file, fields, sent))
    setFile(undefined)
    setPictures([])
    await reload()
  })
  const take = async ([given]: readonly File[]) => {
    if (given === undefined) return
    clear()
    setTold(undefined)
    setFile(given)
    setFormat((await guess(given)) ?? format)
  }
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run()
      }}
    >
      <h2>{data.import}</h2>
      <DropZone accept={endings} take={(given) => void take(given)} label={data.chooseFile}>
        {file === undefined ? <span className="by-mouse">{data.dropIt}</span> : file.name}
      </DropZone>
      <div className="fields">
        <div className="field">
          <label htmlFor={ids.format}>{data.format}</label>
          <select id={ids.format} value={format} onChange={({ target }) => setFormat(target.value as ImportFormatName)}>
            {importFormatNames.map((one) => (
              <option key={one} value={one}>
                {formats[one].title}
              </option>
            ))}
          </select>
          <span className="hint">{data.formats[format] ?? formats[format].about}</span>
        </div>
        <div className="field">
          <label htmlFor={ids.rater}>{data.rater}</label>
          <input
            id={ids.rater}
            type="text"
            value={rater}
            maxLength={200}
            onChange={({ target }) => setRater(target.value)}
          />
          <span className="hint">{data.raterHint}</span>
        </div>
      </div>
      {formats[format].pictures === 'beside' && (
        <DropZone accept=".png,.jpg,.jpeg,.webp,.json,.xml" isMany take={setPictures} label={data.chooseItsImages}>
          {pictures.length === 0 ? (
            <>
              <span className="by-mouse">{data.dropThose}</span>
              {data.fileNames}
            </>
          ) : (
            data.sentAlong(pictures.length)
          )}
        </DropZone>
      )}
      <ErrorNotice error={error} />
      {told !== undefined && <Told imported={told} />}
      <div>
        <button type="submit" className="button primary" disabled={file === undefined || isBusy}>
          {isBusy ? data.importing : data.importIt}
        </button>
      </div>
    </form>
  )
}

function Told({ imported: { added, known, unanswered, images, leftOut } }: { imported: Imported }) {
  const { data } = useTexts()
  const counts = [
    data.added(added),
    data.known(known),
    ...(images > 0 ? [data.newImages(images)] : []),
    ...(unanswered > 0 ? [data.unanswered(unanswered)] : []),
  ]
  const isNothing = added + known === 0
  return (
    <div className={leftOut.length > 0 || isNothing ? 'notice warn' : 'notice good'} role="status">
      {isNothing && <strong>{data.nothing}</strong>}
      <span>{counts.join(', ')}.</span>
      {leftOut.slice(0, mostNamed).map((line, place) => (
        <span key={place} dir="auto">
          {data.leftOut(line)}
        </span>
      ))}
      {leftOut.length > mostNamed && <span>{data.moreLeftOut(leftOut.length - mostNamed)}</span>}
    </div>
  )
}
