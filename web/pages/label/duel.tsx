/** Two sides, of which one is better: pairs of images, and votes between policies. */
import type { ReactNode } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { Picture } from '../../components/picture.tsx'
import { useKeys } from './keys.ts'

export type DuelAnswer = 'first' | 'second' | 'tie' | 'both-bad' | 'skip'

export interface DuelProps {
  readonly first: readonly ImageRef[]
  readonly second: readonly ImageRef[]
  readonly withBothBad: boolean
  readonly answer: (answer: DuelAnswer) => void
  readonly children?: ReactNode
}

export const duelKeys = (withBothBad: boolean): readonly (readonly [string[], string])[] => [
  [['←', '1'], 'the left one'],
  [['→', '2'], 'the right one'],
  [['T', '↓'], 'tie'],
  ...(withBothBad ? [[['B'], 'both are bad'] as [string[], string]] : []),
  [['S'], 'skip: cannot tell'],
]

export function Duel({ first, second, withBothBad, answer, children }: DuelProps) {
  useKeys({
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
        <Side images={first} title="Left" mark="←" choose={() => answer('first')} />
        <Side images={second} title="Right" mark="→" choose={() => answer('second')} />
      </div>
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
      {children}
    </>
  )
}

interface SideProps {
  readonly images: readonly ImageRef[]
  readonly title: string
  readonly mark: string
  readonly choose: () => void
}

const Side = ({ images, title, mark, choose }: SideProps) => (
  <button type="button" className="duel-side" aria-label={`${title} is better`} onClick={choose}>
    <span className={images.length > 1 ? 'duel-set' : 'duel-one'}>
      {images.map((image) => (
        <Picture key={image.id} image={image} shown={512} alt="" />
      ))}
    </span>
    <span className="duel-caption">
      {title} is better <kbd>{mark}</kbd>
    </span>
  </button>
)
