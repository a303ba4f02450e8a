/** Good, bad or skip: up to three images of one prompt, a judgment of each (Lee et al. 2023). */
import { useContext, useState } from 'react'
import type { Task } from '../../../src/studio/schemas/labelling.ts'
import { Icon } from '../../components/icon.tsx'
import { Enlarged, useEnlarging } from '../../components/zoom-picture.tsx'
import { newId } from '../../new-id.ts'
import { statusOf, usePicture } from '../../picture-loads.ts'
import type { Texts } from '../../texts/en.ts'
import { texts, useTexts } from '../../texts/texts.ts'
import { useKeys, type KeyLines } from './keys.ts'
import type { MarkedImage } from './mark-bar.tsx'
import { MarkedPicture } from './marked-picture.tsx'
import { MarkingContext } from './marks.ts'
import { NotLoaded } from './not-loaded.tsx'
import '../../styles/swipe.css'
import { useSwipes } from './swipes.ts'
import type { Turn } from './turn.ts'

type GoodBadAnswer = 'good' | 'bad' | 'skip'
export interface GoodBadState {
  /** Of each image; null: none yet. */
  readonly answers: readonly (GoodBadAnswer | null)[]
  /** Place of the image that the keys judge. */
  readonly focused: number
}

export const beginGoodBad = ({ images }: Task): GoodBadState => ({ answers: images.map(() => null), focused: 0 })

export const goodBadKeys = ({ keys, keyNames }: Texts['label']): KeyLines => [
  [['G', 'J'], keys.good],
  [['B', 'K'], keys.bad],
  [['S', 'L'], keys.cannotTell],
  [[`${keyNames.shift} G`, `${keyNames.shift} B`], keys.sameForAll],
  [['1', '2', '3', '←', '→'], keys.chooseImage],
  [['F', keyNames.space], keys.enlarge],
]

const options = [
  { value: 'good', key: 'G', icon: 'label' },
  { value: 'bad', key: 'B', icon: 'bad' },
  { value: 'skip', key: 'S', icon: 'skip' },
] as const

/** Of what can be marked the image that the keys judge. */
export const markedInGoodBad = ({ images }: Task, { focused }: GoodBadState): MarkedImage[] =>
  images.length === 0
    ? []
    : [
        {
          id: images[focused].id,
          name: texts().label.image(focused + 1),
          words: texts().label.marks.words.image(focused + 1),
        },
      ]

interface GoodBadProps {
  readonly turn: Turn<GoodBadState>
  /** Takes the last answer back; undefined where there is none. */
  readonly undo: (() => void) | undefined
}

export function GoodBad({ turn: { task, state, change, answer }, undo }: GoodBadProps) {
  const { label } = useTexts()
  const shown = task.images.map(({ id }) => id)

  const judge = (places: readonly number[], value: GoodBadAnswer) => {
    let { answers } = state
    const group = newId()
    for (const place of places) {
      const status = statusOf(task.images[place], 512)
      if (status !== 'shown' && !(status === 'broken' && value === 'skip')) continue
      const wasOpen = answers[place] === null
      answers = answers.with(place, value)
      const open = answers.findIndex((one, i) => one === null && i > place)
      const next = open >= 0 ? open : answers.indexOf(null)
      answer(
        { kind: 'good-bad-skip', images: [shown[place]], answer: value, ...(shown.length > 1 && { shown }) },
        next < 0 ? undefined : { answers, focused: next },
        { counts: wasOpen ? 1 : 0, group },
      )
    }
  }
  const open = state.answers.flatMap((one, place) => (one === null ? [place] : []))
  const focus = (place: number) => {
    if (place >= 0 && place < shown.length) change({ ...state, focused: place })
  }
  const one = (value: GoodBadAnswer) => () => judge([state.focused], value)
  const all = (value: GoodBadAnswer) => () => judge(open, value)
  const [enlarged, setEnlarged] = useState<number>()
  useKeys({
    ' ': () => setEnlarged(state.focused),
    f: () => setEnlarged(state.focused),
    g: one('good'),
    j: one('good'),
    b: one('bad'),
    k: one('bad'),
    s: one('skip'),
    l: one('skip'),
    'shift+g': all('good'),
    'shift+j': all('good'),
    'shift+b': all('bad'),
    'shift+k': all('bad'),
    'shift+s': all('skip'),
    'shift+l': all('skip'),
    '1': () => focus(0),
    '2': () => focus(1),
    '3': () => focus(2),
    arrowleft: () => focus(state.focused - 1),
    arrowright: () => focus(state.focused + 1),
    arrowup: () => focus(state.focused - 1),
    arrowdown: () => focus(state.focused + 1),
  })
  return (
    <div className={`judged count-${shown.length}`}>
      {task.images.map((_, place) => (
        <JudgedImage
          key={shown[place]}
          task={task}
          place={place}
          answer={state.answers[place]}
          isFocused={place === state.focused}
          focus={() => focus(place)}
          judge={(value) => judge([place], value)}
          enlarge={() => setEnlarged(place)}
          undo={undo}
        />
      ))}
      {shown.length > 1 && (
        <div className="judged-steps" role="group" aria-label={label.imagesOfPrompt}>
          {shown.map((id, place) => (
            <button
              key={id}
              type="button"
              className={state.answers[place] ?? ''}
              aria-label={label.imageJudged(place + 1, shown.length, state.answers[place])}
              aria-current={place === state.focused ? 'step' : undefined}
              onClick={() => focus(place)}
            />
          ))}
        </div>
      )}
      <span className="soft small swipe-hint">{label.swipes}</span>
      {enlarged !== undefined && task.images[enlarged] !== undefined && (
        <Enlarged
          title={label.image(enlarged + 1)}
          images={[{ image: task.images[enlarged], alt: label.image(enlarged + 1) }]}
          close={() => setEnlarged(undefined)}
          keys={{
            arrowleft: () => setEnlarged(Math.max(0, enlarged - 1)),
            arrowright: () => setEnlarged(Math.min(shown.length - 1, enlarged + 1)),
          }}
        />
      )}
    </div>
  )
}

interface JudgedImageProps {
  readonly task: Task
  readonly place: number
  readonly answer: GoodBadAnswer | null
  readonly isFocused: boolean
  readonly focus: () => void
  readonly judge: (answer: GoodBadAnswer) => void
  readonly enlarge: () => void
  readonly undo: (() => void) | undefined
}

function JudgedImage({ task: { images }, place, answer, isFocused, focus, judge, enlarge, undo }: JudgedImageProps) {
  const { label } = useTexts()
  const section = useEnlarging<HTMLElement>(enlarge)
  const image = images[place]
  const { status } = usePicture(image, 512)
  const isMarking = useContext(MarkingContext)?.isOn === true
  const number = place + 1
  const { drag, handlers } = useSwipes({
    right: () => judge('good'),
    left: () => judge('bad'),
    up: () => judge('skip'),
    ...(undo !== undefined && { down: undo }),
  })
  const told =
    drag?.direction && { right: label.good, left: label.bad, up: label.skip, down: label.undo }[drag.direction]
  const picture = (
    <>
      <MarkedPicture image={image} alt={label.image(number)} name={label.image(number)} />
      {images.length > 1 && <span className="judged-number">{number}</span>}
    </>
  )
  return (
    <section
      ref={section}
      className={`judged-one ${answer ?? ''}`}
      data-focused={isFocused}
      aria-label={label.imageJudged(number, images.length, answer)}
    >
      {isMarking ? (
        <div className="judged-picture" onClickCapture={focus} onFocus={focus}>
          {picture}
        </div>
      ) : (
        <button
          type="button"
          className="judged-picture"
          aria-label={label.chooseImage(number)}
          tabIndex={-1}
          onClick={focus}
          {...handlers}
          style={drag && { transform: `translate(${drag.x}px, ${drag.y}px) rotate(${drag.x / 40}deg)` }}
        >
          {picture}
        </button>
      )}
      {drag !== undefined && told !== undefined && (
        <span className={`swipe-told ${drag.direction}`} data-far={drag.isFar} aria-hidden="true">
          {told}
        </span>
      )}
      {!isMarking && (
        <button
          type="button"
          className="button small icon judged-enlarge"
          aria-label={label.enlargeImage(number)}
          title={label.enlargeByKey}
          tabIndex={-1}
          onClick={enlarge}
        >
          <Icon name="zoom" size={18} />
        </button>
      )}
      {status === 'shown' ? (
        <div className="judged-buttons">
          {options.map(({ value, key, icon }) => (
            <button
              key={value}
              type="button"
              className={`judge ${value}`}
              aria-pressed={answer === value}
              onClick={() => judge(value)}
            >
              <Icon name={icon} size={16} />
              <span>
                <span className="hidden">{label.image(number)}: </span>
                {label[value]}
              </span>
              <kbd>{key}</kbd>
            </button>
          ))}
        </div>
      ) : (
        <NotLoaded says={label.missing.image(number)} images={[image]} shown={512} skip={() => judge('skip')} />
      )}
    </section>
  )
}
