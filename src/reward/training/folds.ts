/** Fits that have not seen some of the prompts, to find out how much of what a head learns holds for other prompts. */
import { random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { promptsOf, tellsApart, type RewardExamples } from '../examples/reward-examples.ts'

const most = 10
/** Foretold examples that suffice: few numbers are made of them. Of very many labels one more fit does, instead of ten. */
const enough = 800

export interface Fold {
  readonly training: RewardExamples
  /** Those of all other prompts. */
  readonly foretold: RewardExamples
  readonly label: string
}

/**
 * Divides the prompts by chance into ten parts (fewer where there are not as many prompts), and plans a fit without each of
 * them until 800 examples are foretold. Of a single prompt it is images that are divided; a comparison then goes with its
 * better image. A fit is left out where its examples would tell nothing apart.
 */
export function planFolds(examples: RewardExamples, seed: number): Fold[] {
  const prompts = promptsOf(examples)
  const { labels, comparisons } = examples
  const isOne = prompts.length === 1
  const groupOfLabel = (label: RewardExamples['labels'][number]) => (isOne ? label.image : label.text)
  const groupOfComparison = (one: RewardExamples['comparisons'][number]) => (isOne ? one.better : one.text)
  const groups = [...new Set([...labels.map(groupOfLabel), ...comparisons.map(groupOfComparison)])]
  const count = Math.min(most, groups.length)
  const order = random(...rewardStreams.folds(seed)).shuffle(groups)
  const partOf = new Map(order.map((group, place) => [group, place % count]))
  const plans: Fold[] = []
  let foretold = 0
  for (let part = 0; part < count && foretold < enough; part++) {
    const chosen = (isIn: boolean): RewardExamples => ({
      labels: labels.filter((one) => (partOf.get(groupOfLabel(one)) === part) === isIn),
      comparisons: comparisons.filter((one) => (partOf.get(groupOfComparison(one)) === part) === isIn),
    })
    const training = chosen(false)
    if (!tellsApart(training)) continue
    const others = chosen(true)
    foretold += others.labels.length + others.comparisons.length
    plans.push({ training, foretold: others, label: `reward without part ${part + 1} of ${count}` })
  }
  return plans
}
