/** Several rewards as one. */
import { ConfigError } from '../../errors.ts'
import { isComposedFile, openComposed, readComposed } from '../composition/composed-file.ts'
import { compositionOf, compositionWords } from '../composition/composition.ts'
import type { Reward } from '../reward.ts'
import type { RewardKind } from './reward-kind.ts'

/**
 * By the file that a run wrote, which has means and deviations of the parts. What is only written as `a=0.7,b=0.3` gets them
 * from the stage that it is given to: see `rewardInRun`.
 */
export const composition: RewardKind = {
  what: compositionWords,
  claims: (name) => isComposedFile(name) || compositionOf(name) !== undefined,
  async open(name, _config, _open, openReward) {
    if (!isComposedFile(name)) {
      throw new ConfigError({
        where: name,
        expected: 'a reward, or a composition with the scale of its parts',
        received: 'a composition without base images',
        remedy: 'give the composed-reward.json of a run that has it, or one reward',
      })
    }
    const composed = readComposed(name)
    const rewards: Reward[] = []
    for (const part of composed.parts) rewards.push(await openReward(part.name))
    return { ...openComposed(name, composed, rewards), name }
  },
}
