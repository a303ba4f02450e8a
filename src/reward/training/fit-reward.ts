/**
 * A reward from human judgments: a head (fit-head.ts), and how much say it has beside the CLIP score (clip-mixture.ts).
 */
import { tensorScope } from '../../tensor/scope.ts'
import type { Embedded } from '../encoding/embeddings.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import type { ShownTexts } from '../examples/shown-texts.ts'
import { foretell, mixWithClip, type Mixed } from './clip-mixture.ts'
import { fitHead, trainingExamples, type FitOptions, type FittedReward } from './fit-head.ts'
import { planFolds } from './folds.ts'
import type { RewardFit } from './reward-fit.ts'

/**
 * Fits a head, and its say beside the CLIP score unless `shrink` is off.
 * @param embedded  the images, and all texts of `shown`
 * @param shown     of the prompts of the examples
 * @returns         a reward whose tensors belong to the caller's scope
 * @throws {RewardError} labels of one class only, and no comparison with a better image
 * @throws {DivergenceError} names the update
 */
export function fitReward(
  embedded: Embedded,
  examples: RewardExamples,
  shown: ShownTexts,
  fit: RewardFit,
  options: Omit<FitOptions, 'checkpoint'>,
): FittedReward & Partial<Pick<Mixed, 'clipShare'>> {
  const fitted = fitHead(embedded, examples, shown, fit, options)
  if (!fit.shrink) return fitted
  const { head: kind, seed } = options
  const used = trainingExamples(examples, fit)
  const told = planFolds(used, seed).map((fold) => {
    using _scope = tensorScope()
    const { head } = fitHead(embedded, fold.training, shown, fit, { head: kind, seed, label: fold.label })
    return foretell(embedded, fold.foretold, head)
  })
  return mixWithClip(fitted, told, foretell(embedded, used))
}
