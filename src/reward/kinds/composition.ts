/** Several rewards as one. */
import { ConfigError } from '../../errors.ts'
import { isComposedFile, openComposed, readComposed } from '../composition/composed-file.ts'
import { compositionOf, compositionWords, isOwnEnsemble, type Composition } from '../composition/composition.ts'
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
    const written = isComposedFile(name) ? undefined : compositionOf(name)
    if (written !== undefined && isOwnEnsemble(written)) return boundOf(name, written, openReward)
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

async function boundOf(
  name: string,
  { parts: [part], k }: Composition,
  openReward: (name: string) => Promise<Reward>,
): Promise<Reward> {
  const reward = await openReward(part.name)
  if (reward.lowerBound !== undefined) return { ...reward.lowerBound(k), name }
  throw new ConfigError({
    where: name,
    expected: 'a run of `reward train` with an ensemble, or several rewards',
    received: `${part.name}, which has none`,
    remedy: 'train it with --ensemble 5, by a version that keeps the members, or give more rewards',
  })
}
