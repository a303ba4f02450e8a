/** Two sides, of which one is better: pairs of images, and votes between policies. */
import { useContext, useState } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { Enlarged, Zoomable } from '../../components/zoom-picture.tsx'
import { usePictures } from '../../picture-loads.ts'
import { useKeys } from './keys.ts'
import { MarkedPicture } from './marked-picture.tsx'
import { MarkingContext } from './marks.ts'
import { NotLoaded } from './not-loaded.tsx'

export type DuelAnswer = 'first' | 'second' | 'tie' | 'both-bad' | 'skip'

interface DuelProps {
  readonly first: readonly ImageRef[]
  readonly second: readonly ImageRef[]
  readonly withBothBad: boolean
  readonly answer: (answer: DuelAnswer) => void
}

export const duelKeys = (withBothBad: boolean): readonly (readonly [string[], string])[] => [
  [['←', '1'], 'the left one'],
  [['→', '2'], 'the right one'],
  [['T', '↓'], 'tie'],
  ...(withBothBad ? [[['B'], 'both are bad'] as [string[], string]] : []),
  [['S'], 'skip: cannot tell'],
  [['F', 'Space'], 'enlarge both'],
]

export function Duel({ first, second, withBothBad, answer: give }: DuelProps) {
  const status = usePictures([...first, ...second], 512)
  // What has not been seen cannot be judged; what does not load can be left out.
  const answer = (value: DuelAnswer) => {
    if (status === 'shown' || (status === 'broken' && value === 'skip')) give(value)
  }
  const [isEnlarged, setEnlarged] = useState(false)
  const enlarge = () => setEnlarged(true)
  const answerEnlarged = (value: DuelAnswer) => () => {
    setEnlarged(false)
    answer(value)
  }
  useKeys({
    ' ': enlarge,
    f: enlarge,
    arrowleft: () => answer('first'),
    '1': () => answer('first'),
    arrowright: () => answer('second'),
    '2': () => answer('second'),
    t: () => answer('tie'),
    arrowdown: () => answer('tie'),
    '0': () => answer('tie'),
    b: withBothBad ? () => answer('both-bad') : undefined,
    s: () => answer('skip'),
    l: () => answer('skip'),
  })
  return (
    <>
      <div className="duel">
        <Side
          images={first}
          title="Left"
          mark="←"
          isOpen={status === 'shown'}
          choose={() => answer('first')}
          enlarge={enlarge}
        />
        <Side
          images={second}
          title="Right"
          mark="→"
          isOpen={status === 'shown'}
          choose={() => answer('second')}
          enlarge={enlarge}
        />
      </div>
      {status === 'shown' ? (
        <Others withBothBad={withBothBad} answer={answer} />
      ) : (
        <Missing {...{ first, second, give }} />
      )}
      {isEnlarged && (
        <Enlarged
          title="Left and right, enlarged together"
          images={[...sideOf(first, 'Left'), ...sideOf(second, 'Right')]}
          close={() => setEnlarged(false)}
          keys={{ '1': answerEnlarged('first'), '2': answerEnlarged('second'), t: answerEnlarged('tie') }}
          foot={
            status === 'shown' && (
              <>
                <button type="button" className="button" onClick={answerEnlarged('first')}>
                  Left is better <kbd>1</kbd>
                </button>
                <button type="button" className="button" onClick={answerEnlarged('tie')}>
                  Tie <kbd>T</kbd>
                </button>
                <button type="button" className="button" onClick={answerEnlarged('second')}>
                  Right is better <kbd>2</kbd>
                </button>
              </>
            )
          }
        />
      )}
    </>
  )
}

const sideOf = (images: readonly ImageRef[], alt: string) => images.map((image) => ({ image, alt }))

const Others = ({ withBothBad, answer }: Pick<DuelProps, 'withBothBad' | 'answer'>) => (
  <div className="duel-more">
    <button type="button" className="button" onClick={() => answer('tie')}>
      Tie <kbd>T</kbd>
    </button>
    {withBothBad && (
      <button type="button" className="button" onClick={() => answer('both-bad')}>
        Both bad <kbd>B</kbd>
      </button>
    )}
    <button type="button" className="button" onClick={() => answer('skip')}>
      Skip <kbd>S</kbd>
    </button>
  </div>
)

function Missing({ first, second, give }: Pick<DuelProps, 'first' | 'second'> & { give: DuelProps['answer'] }) {
  const [left, right] = [usePictures(first, 512), usePictures(second, 512)]
  const what = left === 'shown' ? 'The right side' : right === 'shown' ? 'The left side' : 'Neither side'
  return <NotLoaded what={what} images={[...first, ...second]} shown={512} skip={() => give('skip')} />
}

interface SideProps {
  readonly images: readonly ImageRef[]
  readonly title: string
  readonly mark: string
  readonly isOpen: boolean
  readonly choose: () => void
  readonly enlarge: () => void
}

/** A click on a picture enlarges it, or marks it; the button below answers. */
function Side({ images, title, mark, isOpen, choose, enlarge }: SideProps) {
  const isMarking = useContext(MarkingContext)?.isOn === true
  return (
    <div className={isMarking ? 'duel-side marking' : 'duel-side'}>
      <span className={images.length > 1 ? 'duel-set' : 'duel-one'}>
        {images.map((image) => {
          const picture = <MarkedPicture key={image.id} image={image} alt="" name={title} />
          if (isMarking) return picture
          return (
            <Zoomable key={image.id} name={title.toLowerCase()} enlarge={enlarge}>
              {picture}
            </Zoomable>
          )
        })}
      </span>
      <button
        type="button"
        className="button duel-caption"
        aria-label={`${title} is better`}
        disabled={!isOpen}
        onClick={choose}
      >
        {title} is better <kbd>{mark}</kbd>
      </button>
    </div>
  )
}
