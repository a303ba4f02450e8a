/** Pairs with a tie and "both bad"; the winner stays and meets the next image (Pick-a-Pic, Kirstain et al. 2023). */
import type { Task } from '../../../src/studio/schemas/labelling.ts'
import { texts } from '../../texts/texts.ts'
import { Duel, type DuelAnswer } from './duel.tsx'
import type { MarkedImage } from './mark-bar.tsx'
import type { Turn } from './turn.ts'

export interface PairState {
  /** Places of the images on the left and on the right. */
  readonly sides: readonly [number, number]
  /** Place of the next image that has not been shown. */
  readonly next: number
}

export const beginPair = (): PairState => ({ sides: [0, 1], next: 2 })

/** Who meets after an answer; undefined where nobody is left. A winner keeps its side. */
function afterPair({ sides, next }: PairState, answer: DuelAnswer, images: number): PairState | undefined {
  const [left, right] = sides
  if (answer === 'first') return next < images ? { sides: [left, next], next: next + 1 } : undefined
  if (answer === 'second') return next < images ? { sides: [next, right], next: next + 1 } : undefined
  return next + 1 < images ? { sides: [next, next + 1], next: next + 2 } : undefined
}

export function Pairs({ turn: { task, state, answer } }: { turn: Turn<PairState> }) {
  const [left, right] = state.sides.map((place) => task.images[place])
  const give = (value: DuelAnswer) =>
    answer({ kind: 'pair', images: [left.id, right.id], answer: value }, afterPair(state, value, task.images.length))
  return <Duel first={[left]} second={[right]} withBothBad answer={give} />
}

export const markedInPair = ({ images }: Task, { sides }: PairState): MarkedImage[] =>
  sides.map((place, side) => {
    const { leftSide, rightSide, marks } = texts().label
    const { id } = images[place]
    return side === 0
      ? { id, name: leftSide, words: marks.words.left }
      : { id, name: rightSide, words: marks.words.right }
  })

/** What the person still has to look at in this task. */
export const pairsNote = ({ images }: Task, { next }: PairState): string =>
  images.length > next ? texts().label.moreOfPrompt(images.length - next) : ''
