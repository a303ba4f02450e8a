/** A head that says the same of all images while it is trained: its loss stands still, on pairs at log 2 = 0.69315. */
import { RewardError } from '../../errors.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { largestValues } from '../../tensor/finite.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { imageRows, textRows, type Embedded } from '../encoding/embeddings.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import { headLogit, type RewardHead } from '../heads/reward-head.ts'

/** Examples that are looked at, the first ones. */
const looked = 256
/** What differs less is rounding. */
const none = 1e-6
/** Logits that differ less leave each answer to a pair at 0.693 nats, which is a guess. */
const little = 0.03

/** What a head tells apart: the images of each pair where there are pairs, else labelled images. */
interface Spread {
  /** Largest difference of logits. */
  readonly logits: number
  /** Largest difference of a number in the embeddings of the images. */
  readonly embeddings: number
  readonly isOfPairs: boolean
}

/** Undefined where there are no two images to tell apart. */
export function spreadOf(
  head: RewardHead,
  embedded: Embedded,
  { labels, comparisons }: RewardExamples,
): Spread | undefined {
  const pairs = comparisons.filter(({ better, worse }) => better !== worse).slice(0, looked)
  const isOfPairs = pairs.length > 0
  const sides = isOfPairs
    ? pairs.map(({ better, worse, text }) => [
        { image: better, text },
        { image: worse, text },
      ])
    : labels.slice(0, looked).map((label) => [label, labels[0]])
  if (sides.every(([one, other]) => one.image === other.image)) return undefined
  using _scope = tensorScope()
  const [first, second] = [0, 1].map((side) => {
    const images = imageRows(embedded, sides.map((both) => both[side].image)) // prettier-ignore
    const texts = textRows(embedded, sides.map((both) => both[side].text)) // prettier-ignore
    return { images, logits: withoutGrad(() => headLogit(head, images, texts)) }
  })
  const [logits, embeddings] = largestValues([first.logits.sub(second.logits), first.images.sub(second.images)])
  return { logits, embeddings, isOfPairs }
}

/**
 * @param where   which fit, after which update
 * @param decayed what weight decay has left of a weight that no gradient reaches, as a share
 * @returns       a warning where images are hardly told apart, with the likely cause
 * @throws {RewardError} where they are not at all
 */
export function expectDifferences(where: string, spread: Spread, decayed: number): string | undefined {
  const { logits, embeddings, isOfPairs } = spread
  if (logits > little) return undefined
  const what = `the same of ${isOfPairs ? 'both images of each pair, so that its loss on pairs stays at log 2 = 0.69315' : 'all images'}`
  const isNone = logits <= none
  const remedy =
    embeddings <= (isNone ? none : little)
      ? 'the encoder sees no difference between them: are they copies of one picture, or blank? Otherwise name another --encoder'
      : decayed < 0.01
        ? 'its weights decayed to nothing: lower --weight-decay or --learning-rate'
        : isNone
          ? 'its hidden units died: lower --learning-rate'
          : 'raise --learning-rate or --epochs, and check whether the answers contradict each other'
  if (!isNone) return `warning: ${where}: the reward says nearly ${what}; ${remedy}`
  throw new RewardError({
    where,
    expected: 'a reward that tells images apart',
    received: `one that says ${what}`,
    remedy,
  })
}
