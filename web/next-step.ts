/** What the one big button does at each point of the loop. */
import { usualPolicyStage } from '../src/stages.ts'
import type { State } from '../src/studio/schemas/state.ts'
import { client } from './api.ts'
import { figure } from './format.ts'
import { go } from './router.ts'

interface NextStep {
  readonly title: string
  /** Undefined where there is nothing to do but to wait. */
  readonly work?: () => Promise<unknown>
}

/** A policy on a reward, from the newest one where there is one: rounds build on each other. */
const trainPolicy = (reward: string, policy: string | undefined) =>
  client.startJob({ stage: usualPolicyStage, settings: { reward, ...(policy !== undefined && { policy }) } })

/** A policy from pairs alone, from the newest one where there is one, with the settings that the studio has for so many. */
export const trainOnPairs = (pairs: NonNullable<State['pairs']>, policy: string | undefined) =>
  client.startJob({ stage: 'policy dpo', settings: { ...pairs.settings, ...(policy !== undefined && { policy }) } })

export const trainOnPairsTitle = ({ pairs }: NonNullable<State['pairs']>) =>
  `Train from ${pairs === 1 ? 'this pair' : `these ${figure(pairs)} pairs`}`

/** A reward, and a policy that follows it where it is proven. */
async function trainBoth(policy: string | undefined): Promise<void> {
  const { run } = await client.startJob({ stage: 'reward train' })
  await trainPolicy(run, policy)
}

const openJob = ({ id }: { id: string }) => go('train', 'job', id)

export function nextStepOf({ next, rewards, policies, rounds, pairs }: State): NextStep {
  const [reward, policy] = [rewards[0]?.name, policies[0]?.name]
  switch (next.step) {
    case 'draw':
      return { title: 'Draw the first images', work: () => client.drawRound() }
    case 'label':
      // Where all is judged, more answers need more images.
      return rounds.some(({ images, judged }) => judged < images)
        ? { title: 'Label', work: () => Promise.resolve(go('label')) }
        : { title: 'Draw more images', work: () => client.drawRound({ policy }) }
    case 'train-reward':
      return { title: 'Train', work: () => trainBoth(policy) }
    case 'train-policy':
      return { title: 'Train', work: async () => openJob(await trainPolicy(reward, policy)) }
    case 'train-pairs':
      return pairs === null
        ? { title: 'Train' }
        : { title: trainOnPairsTitle(pairs), work: () => trainOnPairs(pairs, policy) }
    case 'draw-again':
      return { title: 'Collect again with this policy', work: () => client.drawRound({ policy }) }
    case 'compare':
      return {
        title: 'Compare',
        work: async () => go('compare', (await client.compare({ policies: ['pretrained', policy] })).id),
      }
    case 'report':
      return { title: 'Write a report', work: async () => openJob(await client.startJob({ stage: 'report' })) }
    case 'wait':
      return { title: 'Working' }
  }
}
