/** Three 7-point ratings of each image with boxes for issues, then a ranking of all (ImageReward, Xu et al. 2023). */
import type { Guidelines, Task } from '../../../src/studio/schemas/labelling.ts'
import { useContext, useState } from 'react'
import { Icon } from '../../components/icon.tsx'
import { Enlarged, Zoomable } from '../../components/zoom-picture.tsx'
import { usePicture } from '../../picture-loads.ts'
import type { Texts } from '../../texts/en.ts'
import { texts, useTexts } from '../../texts/texts.ts'
import { ranksOf, slotsOf } from './agreement-of-ranks.ts'
import { useKeys, type KeyLines } from './keys.ts'
import type { MarkedImage } from './mark-bar.tsx'
import { MarkedPicture } from './marked-picture.tsx'
import { MarkingContext } from './marks.ts'
import { Ranking } from './ranking.tsx'
import { NotLoaded } from './not-loaded.tsx'
import { Chips } from './reasons.tsx'
import type { Turn } from './turn.ts'

const scales = ['alignment', 'fidelity', 'overall'] as const
type Scale = (typeof scales)[number]
type Ratings = Readonly<Partial<Record<Scale, number>>>

export interface RatingState {
  /** Of the images that are done; `null` was skipped. */
  readonly done: readonly (Pick<Required<Ratings>, 'overall'> | null)[]
  readonly draft: Ratings
  readonly row: number
  readonly issues: readonly string[]
  /** Of the images that were rated, once all are done. */
  readonly slots?: readonly number[]
  readonly chosen: number
}

/** A ranking is no thing of its own. */
const unasked = { counts: 0 }
const untouched: RatingState = { done: [], draft: {}, row: 0, issues: [], chosen: 0 }

/** What was rated before the task was broken off stands first, and is not asked again. */
export function beginRating({ images, rated }: Task): RatingState {
  const open = images.findIndex(({ id }) => rated[id] === undefined)
  const overall = images.slice(0, open < 0 ? undefined : open).map(({ id }) => rated[id])
  if (open < 0 && overall.length < 2) return untouched
  const done = overall.map((one) => ({ overall: one }))
  return { ...untouched, done, ...(open < 0 && { slots: slotsOf(overall) }) }
}

/** The image that is rated; none while they are ranked. */
export const markedInRating = ({ images }: Task, { done, slots }: RatingState): MarkedImage[] =>
  slots === undefined && done.length < images.length
    ? [
        {
          id: images[done.length].id,
          name: texts().label.image(done.length + 1),
          words: texts().label.marks.words.image(done.length + 1),
        },
      ]
    : []

export const ratingKeys = ({ keys, keyNames }: Texts['label']): KeyLines => [
  [['1', '…', '7'], keys.rate],
  [['↑', '↓'], keys.chooseRow],
  [['F'], keys.enlargeImage],
  [[keyNames.enter], keys.nextImage],
  [['S'], keys.cannotTell],
]

const isWhole = (draft: Ratings): draft is Required<Ratings> => scales.every((name) => draft[name] !== undefined)

export function RatingAndRanking({ turn, reasons }: { turn: Turn<RatingState>; reasons: Guidelines['reasons'] }) {
  const { task, state, change, answer } = turn
  const rated = task.images.flatMap((image, place) => {
    const ratings = state.done[place]
    return ratings === undefined || ratings === null ? [] : [{ image, overall: ratings.overall }]
  })
  if (state.slots !== undefined) {
    const images = rated.map(({ image }) => image.id)
    return (
      <Ranking
        images={rated.map(({ image }) => image)}
        overall={rated.map(({ overall }) => overall)}
        slots={state.slots}
        chosen={state.chosen}
        change={(slots, chosen) => change({ ...state, slots, chosen })}
        submit={(slots) =>
          answer({ kind: 'ranking', images, answer: 'ranked', ranks: ranksOf(slots) }, undefined, unasked)
        }
        skip={() => answer({ kind: 'ranking', images, answer: 'skip' }, undefined, unasked)}
      />
    )
  }
  return <OneRating turn={turn} reasons={reasons} />
}

function OneRating({ turn, reasons }: { turn: Turn<RatingState>; reasons: Guidelines['reasons'] }) {
  const { label } = useTexts()
  const { task, state, change, answer } = turn
  const place = state.done.length
  const image = task.images[place]
  const { draft, row } = state
  const { status } = usePicture(image, 512)
  const isSeen = status === 'shown'

  const step = (ratings: Required<Ratings> | null) => {
    const done = [...state.done, ratings]
    const isLast = done.length === task.images.length
    const overall = done.flatMap((one) => one?.overall ?? [])
    const next: RatingState | undefined = !isLast
      ? { ...untouched, done }
      : overall.length < 2
        ? undefined
        : { ...untouched, done, slots: slotsOf(overall) }
    const { issues } = state
    answer(
      {
        kind: 'rating',
        images: [image.id],
        ...(task.images.length > 1 && { shown: task.images.map(({ id }) => id) }),
        ...(ratings === null
          ? { answer: 'skip' }
          : { answer: 'rated', ratings: { ...ratings }, ...(issues.length > 0 && { reasons: [...issues] }) }),
      },
      next,
    )
  }
  const rate = (name: Scale, value: number) => {
    if (!isSeen) return
    const next = { ...draft, [name]: value }
    const open = scales.findIndex((scale) => next[scale] === undefined)
    const after = scales.indexOf(name) + 1
    change({ ...state, draft: next, row: open < 0 ? Math.min(after, scales.length - 1) : open })
  }
  const submit = () => {
    if (isSeen && isWhole(draft)) step(draft)
  }
  const skip = () => {
    if (status !== 'loading') step(null)
  }
  const isMarking = useContext(MarkingContext)?.isOn === true
  const [isEnlarged, setEnlarged] = useState(false)
  const named = label.imageOf(place + 1, task.images.length)
  const picture = <MarkedPicture image={image} alt={named} name={label.image(place + 1)} />
  useKeys({
    f: () => setEnlarged(true),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((value) => [String(value), () => rate(scales[row], value)])),
    arrowup: () => change({ ...state, row: Math.max(0, row - 1) }),
    arrowdown: () => change({ ...state, row: Math.min(scales.length - 1, row + 1) }),
    enter: submit,
    ' ': submit,
    s: skip,
  })
  const issuesTitle = label.issuesOf(task.images.length > 1 ? place + 1 : undefined)
  return (
    <div className="rating">
      <div className="rating-picture">
        {isMarking ? (
          picture
        ) : (
          <Zoomable label={label.enlargeImage(place + 1)} enlarge={() => setEnlarged(true)}>
            {picture}
          </Zoomable>
        )}
        {isEnlarged && <Enlarged title={named} images={[{ image, alt: named }]} close={() => setEnlarged(false)} />}
        {task.images.length > 1 && (
          <ol className="rating-steps" aria-label={label.imagesOfPrompt}>
            {task.images.map(({ id }, i) => (
              <li key={id} aria-current={i === place ? 'step' : undefined} data-done={i < place}>
                {i + 1}
              </li>
            ))}
          </ol>
        )}
      </div>
      <div className="stack tight">
        {scales.map((name, i) => (
          <fieldset key={name} className="scale" data-focused={i === row}>
            <legend>{label.scales[name].title}</legend>
            <div className="scale-steps">
              {[1, 2, 3, 4, 5, 6, 7].map((value) => (
                <button
                  key={value}
                  type="button"
                  aria-pressed={draft[name] === value}
                  aria-label={label.rated(label.scales[name].title, value)}
                  disabled={!isSeen}
                  onClick={() => rate(name, value)}
                >
                  {value}
                </button>
              ))}
            </div>
            <div className="scale-ends soft small" aria-hidden="true">
              <span>{label.scales[name].low}</span>
              <span>{label.scales[name].high}</span>
            </div>
          </fieldset>
        ))}
        {isSeen ? (
          <>
            <Chips
              reasons={reasons}
              picked={state.issues}
              pick={(issues) => change({ ...state, issues })}
              label={issuesTitle}
            >
              {issuesTitle}
            </Chips>
            <div className="row answer-bar">
              <button type="button" className="button primary" disabled={!isWhole(draft)} onClick={submit}>
                {label.next} <Icon name="arrow" size={18} /> <kbd>{label.keyNames.enter}</kbd>
              </button>
              <button type="button" className="button" onClick={skip}>
                {label.skip} <kbd>S</kbd>
              </button>
            </div>
          </>
        ) : (
          <NotLoaded says={label.missing.image(place + 1)} images={[image]} shown={512} skip={skip} />
        )}
      </div>
    </div>
  )
}
