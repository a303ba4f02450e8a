/** Good, bad or skip: up to three images of one prompt, a judgment of each (Lee et al. 2023). */
import { useState } from 'react'
import type { Guidelines, Task } from '../../../src/studio/schemas/labelling.ts'
import { Icon } from '../../components/icon.tsx'
import { Picture } from '../../components/picture.tsx'
import { useKeys } from './keys.ts'
import { Reasons } from './reasons.tsx'
import type { Turn } from './session.ts'

export type GoodBadAnswer = 'good' | 'bad' | 'skip'
export interface GoodBadState {
  readonly answers: readonly (GoodBadAnswer | undefined)[]
  /** Place of the image that the keys judge. */
  readonly focused: number
}

export const beginGoodBad = ({ images }: Task): GoodBadState => ({ answers: images.map(() => undefined), focused: 0 })

export const goodBadKeys: readonly (readonly [string[], string])[] = [
  [['G', 'J'], 'good'],
  [['B', 'K'], 'bad'],
  [['S', 'L'], 'skip: cannot tell'],
  [['⇧ G', '⇧ B'], 'the same for all that are left'],
  [['1', '2', '3', '←', '→'], 'choose an image'],
]

const options = [
  { value: 'good', title: 'Good', key: 'G', icon: 'label' },
  { value: 'bad', title: 'Bad', key: 'B', icon: 'bad' },
  { value: 'skip', title: 'Skip', key: 'S', icon: 'skip' },
] as const

export function GoodBad({ turn, reasons }: { turn: Turn<GoodBadState>; reasons: Guidelines['reasons'] }) {
  const { task, state, change, answer } = turn
  const [picked, setPicked] = useState<readonly string[]>([])
  const shown = task.images.map(({ id }) => id)

  const judge = (places: readonly number[], value: GoodBadAnswer) => {
    let { answers } = state
    for (const place of places) {
      answers = answers.with(place, value)
      const open = answers.findIndex((one, i) => one === undefined && i > place)
      const next = open >= 0 ? open : answers.indexOf(undefined)
      answer(
        {
          kind: 'good-bad-skip',
          images: [shown[place]],
          answer: value,
          ...(picked.length > 0 && { reasons: [...picked] }),
          ...(shown.length > 1 && { shown }),
        },
        next < 0 ? undefined : { answers, focused: next },
        state.answers[place] === undefined ? 1 : 0,
      )
    }
    setPicked([])
  }
  const open = state.answers.flatMap((one, place) => (one === undefined ? [place] : []))
  const focus = (place: number) => {
    if (place >= 0 && place < shown.length) change({ ...state, focused: place })
  }
  const one = (value: GoodBadAnswer) => () => judge([state.focused], value)
  const all = (value: GoodBadAnswer) => () => judge(open, value)
  useKeys({
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
    <>
      <div className={`judged count-${shown.length}`}>
        {task.images.map((image, place) => (
          <section
            key={image.id}
            className={`judged-one ${state.answers[place] ?? ''}`}
            data-focused={place === state.focused}
            aria-label={`Image ${place + 1} of ${shown.length}${state.answers[place] === undefined ? '' : `, ${state.answers[place]}`}`}
          >
            <button
              type="button"
              className="judged-picture"
              aria-label={`Choose image ${place + 1}`}
              tabIndex={-1}
              onClick={() => focus(place)}
            >
              <Picture image={image} shown={512} alt={`Image ${place + 1}`} />
              {shown.length > 1 && <span className="judged-number">{place + 1}</span>}
            </button>
            <div className="judged-buttons">
              {options.map(({ value, title, key, icon }) => (
                <button
                  key={value}
                  type="button"
                  className={`judge ${value}`}
                  aria-pressed={state.answers[place] === value}
                  onClick={() => judge([place], value)}
                >
                  <Icon name={icon} size={16} />
                  <span>
                    <span className="hidden">Image {place + 1}: </span>
                    {title}
                  </span>
                  <kbd>{key}</kbd>
                </button>
              ))}
            </div>
          </section>
        ))}
      </div>
      <Reasons
        reasons={reasons}
        picked={picked}
        pick={setPicked}
        label={shown.length > 1 ? `Why? For image ${state.focused + 1} (optional)` : undefined}
      />
    </>
  )
}
