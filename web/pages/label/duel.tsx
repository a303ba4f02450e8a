/** Two sides, of which one is better: pairs of images, and votes between policies. */
import { useContext, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { Enlarged, Zoomable } from '../../components/zoom-picture.tsx'
import { usePictures } from '../../picture-loads.ts'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import { useKeys, type KeyLines } from './keys.ts'
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

export const duelKeys = ({ keys, keyNames }: Texts['label'], withBothBad: boolean): KeyLines => [
  [['←', '1'], keys.left],
  [['→', '2'], keys.right],
  [['T', '↓'], keys.tie],
  ...(withBothBad ? [[['B'], keys.bothBad] as const] : []),
  [['S'], keys.cannotTell],
  [['F', keyNames.space], keys.enlargeBoth],
]

export function Duel({ first, second, withBothBad, answer: give }: DuelProps) {
  const { label } = useTexts()
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
  const frame = useUntouched<HTMLDivElement>([...first, ...second].map(({ id }) => id).join(' '))
  return (
    <div className="duel-frame" ref={frame}>
      <div className="duel">
        <Side
          images={first}
          texts={{ name: label.leftSide, isBetter: label.leftIsBetter, enlarge: label.enlargeLeft }}
          mark="←"
          isOpen={status === 'shown'}
          choose={() => answer('first')}
          enlarge={enlarge}
        />
        <Side
          images={second}
          texts={{ name: label.rightSide, isBetter: label.rightIsBetter, enlarge: label.enlargeRight }}
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
          title={label.enlargedTogether}
          images={[...sideOf(first, label.leftSide), ...sideOf(second, label.rightSide)]}
          close={() => setEnlarged(false)}
          keys={{ '1': answerEnlarged('first'), '2': answerEnlarged('second'), t: answerEnlarged('tie') }}
          foot={
            status === 'shown' && (
              <>
                <button type="button" className="button" onClick={answerEnlarged('first')}>
                  {label.leftIsBetter} <kbd>1</kbd>
                </button>
                <button type="button" className="button" onClick={answerEnlarged('tie')}>
                  {label.tie} <kbd>T</kbd>
                </button>
                <button type="button" className="button" onClick={answerEnlarged('second')}>
                  {label.rightIsBetter} <kbd>2</kbd>
                </button>
              </>
            )
          }
        />
      )}
    </div>
  )
}

/**
 * What was used for the last question keeps neither focus nor pointer mark on the next: a side would look chosen before anybody
 * has chosen.
 */
function useUntouched<T extends HTMLElement>(question: string): RefObject<T | null> {
  const frame = useRef<T>(null)
  useLayoutEffect(() => {
    const { current } = frame
    if (current === null) return
    const { activeElement } = document
    if (activeElement instanceof HTMLElement && current.contains(activeElement)) activeElement.blur()
    current.dataset.fresh = 'true'
    const touched = () => delete current.dataset.fresh
    current.addEventListener('pointermove', touched, { once: true })
    return () => current.removeEventListener('pointermove', touched)
  }, [question])
  return frame
}

const sideOf = (images: readonly ImageRef[], alt: string) => images.map((image) => ({ image, alt }))

function Others({ withBothBad, answer }: Pick<DuelProps, 'withBothBad' | 'answer'>) {
  const { label } = useTexts()
  return (
    <div className="duel-more">
      <button type="button" className="button" onClick={() => answer('tie')}>
        {label.tie} <kbd>T</kbd>
      </button>
      {withBothBad && (
        <button type="button" className="button" onClick={() => answer('both-bad')}>
          {label.bothBad} <kbd>B</kbd>
        </button>
      )}
      <button type="button" className="button" onClick={() => answer('skip')}>
        {label.skip} <kbd>S</kbd>
      </button>
    </div>
  )
}

function Missing({ first, second, give }: Pick<DuelProps, 'first' | 'second'> & { give: DuelProps['answer'] }) {
  const [left, right] = [usePictures(first, 512), usePictures(second, 512)]
  const { missing } = useTexts().label
  const says = left === 'shown' ? missing.right : right === 'shown' ? missing.left : missing.both
  return <NotLoaded says={says} images={[...first, ...second]} shown={512} skip={() => give('skip')} />
}

interface SideProps {
  readonly images: readonly ImageRef[]
  /** Its name, and what its button and a click on its picture say. */
  readonly texts: { readonly name: string; readonly isBetter: string; readonly enlarge: string }
  readonly mark: string
  readonly isOpen: boolean
  readonly choose: () => void
  readonly enlarge: () => void
}

/** A click on a picture enlarges it, or marks it; the button below answers. */
function Side({ images, texts, mark, isOpen, choose, enlarge }: SideProps) {
  const isMarking = useContext(MarkingContext)?.isOn === true
  return (
    <div className={isMarking ? 'duel-side marking' : 'duel-side'}>
      <span className={images.length > 1 ? 'duel-set' : 'duel-one'}>
        {images.map((image) => {
          const picture = <MarkedPicture key={image.id} image={image} alt="" name={texts.name} />
          if (isMarking) return picture
          return (
            <Zoomable key={image.id} label={texts.enlarge} enlarge={enlarge}>
              {picture}
            </Zoomable>
          )
        })}
      </span>
      <button
        type="button"
        className="button duel-caption"
        aria-label={texts.isBetter}
        disabled={!isOpen}
        onClick={choose}
      >
        {texts.isBetter} <kbd>{mark}</kbd>
      </button>
    </div>
  )
}
