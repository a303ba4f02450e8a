/** One image over the window with its history: the arrow keys go on through the images that were found. */
import { useEffect } from 'react'
import type { GalleryDetail, GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { client } from '../../api.ts'
import { Comments, useComments } from '../../components/comments.tsx'
import { Lightbox } from '../../components/lightbox.tsx'
import { Loaded } from '../../components/notice.tsx'
import { ago, figure, policyTitle } from '../../format.ts'
import { useReasonLabels } from '../../reason-labels.ts'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
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
  const { gallery, pictures } = useTexts()
  const place = images.findIndex((one) => one.id === id)
  const remote = useRemote(() => client.galleryImage(id), ['gallery-image', id])
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
      title={known?.prompt ?? pictures.image}
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
            {gallery.previous} <kbd>←</kbd>
          </button>
          <button type="button" className="button" disabled={place < 0 || place + 1 >= images.length} onClick={step(1)}>
            {gallery.next} <kbd>→</kbd>
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
  const { gallery: texts, pictures } = useTexts()
  const kinds: Words = texts.kinds
  const reasonLabel = useReasonLabels()
  const shown = (value: number | undefined) => (value === undefined ? '–' : figure(value))
  const { record, rounds, scores, history, sameNoise, image, archived } = detail
  const comments = useComments(detail.id, 'all')
  const facts: [string, string | undefined][] = [
    [
      texts.policy,
      record.strength === undefined
        ? policyTitle(record.policy)
        : texts.atStrength(policyTitle(record.policy), record.strength),
    ],
    [texts.round, rounds.length === 0 ? texts.noRound : rounds.join(', ')],
    [texts.category, texts.categories[record.category]],
    [
      texts.seed,
      record.policy === 'uploaded' ? undefined : texts.seedAndPlace(record.seed, record.draw ?? record.index),
    ],
    [texts.sampler, record.sampler && texts.sampling(record.sampler, shown(record.steps), shown(record.guidance))],
    [texts.negative, record.negative],
    [texts.source, record.source?.name],
    [texts.size, image === null ? undefined : `${image.width} × ${image.height}`],
  ]
  return (
    <div className="stack">
      {image === null && <div className="notice bad">{texts.fileGone}</div>}
      {archived && <div className="notice warn">{texts.isArchived}</div>}
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
          {texts.inPlayground}
        </a>
      )}
      <section className="stack tight">
        <h3>{texts.rewards}</h3>
        {scores.length === 0 && <p className="soft small">{texts.notScored}</p>}
        <ul className="plain-list">
          {scores.map(({ reward, score, uncertainty }) => (
            <li key={reward}>
              {reward}: {score === null ? texts.noScore : figure(score)}
              {uncertainty !== null && <span className="soft"> ± {figure(uncertainty)}</span>}
            </li>
          ))}
        </ul>
      </section>
      <section className="stack tight">
        <h3>{texts.answers}</h3>
        {history.length === 0 && <p className="soft small">{texts.nobodyJudged}</p>}
        <ol className="plain-list">
          {history.map(({ id, kind, answer, rater, at, stands, undoes, reasons, told }) => (
            <li key={id} data-stands={stands}>
              <span dir="auto">{rater}</span>: {undoes ? texts.takesBack : saidOf(told ?? answer, texts)}{' '}
              <span className="soft small">
                {kinds[kind] ?? kind}, <time dateTime={at}>{ago(at)}</time>
                {!stands && !undoes && `, ${texts.countsNoLonger}`}
                {reasons.length > 0 && ` · ${texts.reasons(reasons.map(reasonLabel))}`}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <section className="stack tight">
        <h3>{pictures.comments}</h3>
        <Comments key={detail.id} image={detail.id} from="all" remote={comments} />
      </section>
      {sameNoise.length > 0 && (
        <section className="stack tight">
          <h3>{texts.sameNoise(sameNoise.length)}</h3>
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

/** By words of the server; one that is not there is shown as it is. */
type Words = Readonly<Record<string, string | undefined>>

function saidOf(
  said: string | NonNullable<GalleryDetail['history'][number]['told']>,
  { answered, ranked, rated }: Texts['gallery'],
): string {
  if (typeof said !== 'string') {
    return 'rank' in said ? ranked(said.rank, said.of) : rated(said.overall, said.alignment, said.fidelity)
  }
  const words: Words = answered
  return words[said] ?? said
}
