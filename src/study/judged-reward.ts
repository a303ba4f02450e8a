/**
 * What a policy could learn if its reward were the judge itself: the scores are the judge's verdicts, while a value function
 * sees states as the trained reward does. An upper bound for a study, and nothing that a user could train with.
 */
import { parsePrompt } from '../prompts/templates.ts'
import { picturesOf } from '../images/png.ts'
import type { Reward } from '../reward/reward.ts'
import { isAligned, judgeImage } from '../shapes/judge.ts'
import { shapesVocabulary } from '../shapes/vocabulary.ts'
import { tensor } from '../tensor/create.ts'

/** 1 for an image that shows what its prompt states, else 0. */
export const judgedReward = (reward: Reward): Reward => ({
  name: `the judge, beside ${reward.name}`,
  sha256: `judge ${reward.sha256}`,
  range: [0, 1],
  score: (pixels, texts) =>
    tensor(
      picturesOf(pixels).map(({ bytes }, i) =>
        isAligned(parsePrompt(texts[i], shapesVocabulary)!, judgeImage(bytes)) ? 1 : 0,
      ),
    ),
  embedImages: (pixels) => reward.embedImages(pixels),
  features: (pixels, texts) => reward.features(pixels, texts),
})
