/** One image over the window with its history: the arrow keys go on through the images that were found. */
import { useEffect } from 'react'
import type { GalleryDetail, GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { client } from '../../api.ts'
import { Comments, useComments } from '../../components/comments.tsx'
import { Lightbox } from '../../components/lightbox.tsx'
import { Loaded } from '../../components/notice.tsx'
import { ago, figure, plural, policyTitle } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { Thumbnail } from './gallery-cell.tsx'

interface ViewerProps {
  readonly id: string
  readonly images: readonly GalleryImage[]
  /** Asks for images that come after these. */
  readonly more: () => void
  readonly look: (id: string) => void
  readonly close: () => void
}

const near = 5

export function Viewer({ id, images, more, look, close }: ViewerProps) {
  const place = images.findIndex((one) => one.id === id)
  const remote = useRemote(() => client.galleryImage(id), ['gallery image', id])
  useEffect(() => {
    if (place >= 0 && place > images.length - near) more()
  }, [place, images.length])
  const known = images.at(place < 0 ? images.length : place) ?? remote.value
  const step = (by: number) => () => {
    const next = place < 0 ? undefined : images[place + by]
    if (next !== undefined) look(next.id)
  }
  return (
    <Lightbox
      title={known?.prompt ?? 'Image'}
      images={!known?.image ? [] : [{ image: known.image, alt: known.prompt }]}
      close={close}
      keys={{ arrowleft: step(-1), arrowright: step(1), arrowup: step(-1), arrowdown: step(1) }}
      hasComments={false}
      side={
        <Loaded remote={remote} heights={[120, 160]}>
          {(detail) => <Facts detail={detail} look={look} />}
        </Loaded>
      }
      foot={
        <>
          <button type="button" className="button" disabled={place <= 0} onClick={step(-1)}>
            Previous <kbd>←</kbd>
          </button>
          <button type="button" className="button" disabled={place < 0 || place + 1 >= images.length} onClick={step(1)}>
            Next <kbd>→</kbd>
          </button>
        </>
      }
    />
  )
}

/** With the prompt, the policy and the noise of an image. */
const playgroundOf = ({ text, policy, seed }: GalleryDetail['record']) =>
  `${to('playground')}?${new URLSearchParams({ prompt: text, policy, seed: String(seed) })}`

function Facts({ detail, look }: { detail: GalleryDetail; look: (id: string) => void }) {
  const { record, rounds, scores, history, sameNoise, image, archived } = detail
  const comments = useComments(detail.id, 'all')
  const facts: [string, string | undefined][] = [
    [
      'Policy',
      record.strength === undefined
        ? policyTitle(record.policy)
        : `${policyTitle(record.policy)} at ${record.strength.toFixed(2)}`,
    ],
    ['Round', rounds.length === 0 ? 'none' : rounds.join(', ')],
    ['Category', record.category],
    ['Seed', record.policy === 'uploaded' ? undefined : `${record.seed}, image ${record.draw ?? record.index}`],
    ['Sampler', record.sampler && `${record.sampler}, ${record.steps} steps, guidance ${record.guidance}`],
    ['Not to show', record.negative],
    ['Brought as', record.source?.name],
    ['Size', image === null ? undefined : `${image.width} × ${image.height}`],
  ]
  return (
    <div className="stack">
      {image === null && <div className="notice bad">The file of this image is gone or damaged.</div>}
      {archived && <div className="notice warn">It is archived: nobody is asked about it.</div>}
      <p dir="auto">{record.text}</p>
      <dl className="gallery-facts">
        {facts.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd dir="auto">{value}</dd>
            </div>
          ),
        )}
      </dl>
      {record.policy !== 'uploaded' && (
        <a className="small" href={playgroundOf(record)}>
          Draw the prompt in the playground
        </a>
      )}
      <section className="stack tight">
        <h3>Rewards</h3>
        {scores.length === 0 && <p className="soft small">No reward has scored it.</p>}
        <ul className="plain-list">
          {scores.map(({ reward, score, uncertainty }) => (
            <li key={reward}>
              {reward}: {score === null ? 'no score' : figure(score)}
              {uncertainty !== null && <span className="soft"> ± {figure(uncertainty)}</span>}
            </li>
          ))}
        </ul>
      </section>
      <section className="stack tight">
        <h3>Answers</h3>
        {history.length === 0 && <p className="soft small">Nobody has judged it.</p>}
        <ol className="plain-list">
          {history.map(({ id, kind, answer, rater, at, stands, undoes, reasons, told }) => (
            <li key={id} data-stands={stands}>
              <span dir="auto">{rater}</span>: {undoes ? 'takes an answer back' : (told ?? answer)}{' '}
              <span className="soft small">
                {kindTitles[kind] ?? kind}, <time dateTime={at}>{ago(at)}</time>
                {!stands && !undoes && ', no longer counts'}
                {reasons.length > 0 && ` · ${reasons.join(', ')}`}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <section className="stack tight">
        <h3>Comments</h3>
        <Comments key={detail.id} image={detail.id} from="all" remote={comments} />
      </section>
      {sameNoise.length > 0 && (
        <section className="stack tight">
          <h3>The same noise, {plural(sameNoise.length, 'other image')}</h3>
          <ul className="gallery-relatives">
            {sameNoise.map((one) => (
              <li key={one.id}>
                <button type="button" className="zoomable gallery-open" onClick={() => look(one.id)}>
                  <Thumbnail image={one} />
                  <span className="small">{policyTitle(one.policy)}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

const kindTitles: Readonly<Record<string, string>> = {
  'good-bad-skip': 'good or bad',
  pair: 'a pair',
  rating: 'a rating',
  ranking: 'a ranking',
  vote: 'a vote',
}
