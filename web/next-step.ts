/** What the buttons of Home do: `next` of the studio's state says which of them there are. */
import { isPolicyStage, usualPolicyStage } from '../src/stages.ts'
import type { NextAction } from '../src/studio/schemas/next.ts'
import type { State } from '../src/studio/schemas/state.ts'
import { client } from './api.ts'
import { go } from './router.ts'
import { texts } from './texts/texts.ts'

interface NextStep {
  readonly title: string
  /** Undefined where there is nothing to do but to wait. */
  readonly work?: () => Promise<unknown>
}

type Settings = NonNullable<Parameters<typeof client.startJob>[0]['settings']>

const trainPolicy = (settings: Settings) => client.startJob({ stage: usualPolicyStage, settings })

/** A policy from pairs alone, from the one to go on from, with the settings that the studio has for so many. */
export const trainOnPairs = (pairs: NonNullable<State['pairs']>, policy: string | null) =>
  client.startJob({ stage: 'policy dpo', settings: { ...pairs.settings, policy } })

/** A reward, and a policy that follows it where it is proven, in place of those that wait for a weaker one. */
async function trainBoth({ jobs }: State, policy: string | null): Promise<void> {
  await client.startJob({ stage: 'reward train', then: [{ stage: usualPolicyStage, settings: { policy } }] })
  for (const { id, state, stage } of jobs) if (state === 'held' && isPolicyStage(stage)) await client.stopJob(id)
}

const openJob = ({ id }: { id: string }) => go('train', 'job', id)
const goTo = (...parts: string[]) => Promise.resolve(go(...parts))
const drawMore = (policy: string | null) => client.drawRound({ policy: policy ?? 'pretrained' })

export function nextStepOf(action: NextAction, state: State): NextStep {
  const { step, policy, reward, job, comparison, klWeight } = action
  const { pairs } = state
  const { steps } = texts().home
  switch (step) {
    case 'draw':
      return { title: steps.draw, work: () => client.drawRound() }
    case 'label':
      return { title: steps.label, work: () => goTo('label') }
    case 'draw-more':
      return { title: steps.drawMore(policy), work: () => drawMore(policy) }
    case 'train-reward':
      return { title: steps.trainReward, work: () => trainBoth(state, policy) }
    case 'train-policy':
      return {
        title: steps.trainPolicy(policy),
        work: async () => openJob(await trainPolicy({ reward, policy })),
      }
    case 'train-closer':
      return {
        title: steps.trainCloser,
        work: async () => openJob(await trainPolicy({ reward, policy, klWeight })),
      }
    case 'train-pairs':
      return pairs === null
        ? { title: steps.trainPairs(null) }
        : { title: steps.trainPairs(pairs.pairs), work: () => trainOnPairs(pairs, policy) }
    case 'draw-again':
      return { title: steps.drawAgain, work: () => drawMore(policy) }
    case 'compare':
      return {
        title: steps.compare,
        work: async () => go('compare', (await client.compare({ policies: ['pretrained', policy!] })).id),
      }
    case 'vote':
      return { title: steps.vote, work: () => goTo('compare', comparison!, 'vote') }
    case 'report':
      return { title: steps.report, work: async () => openJob(await client.startJob({ stage: 'report' })) }
    case 'look':
      return { title: steps.look, work: () => goTo('train', 'job', job!) }
    case 'look-reward':
      return { title: steps.lookReward(reward!), work: () => goTo('rewards', reward!) }
    case 'resume':
      return { title: steps.resume, work: () => client.resumeJob(job!) }
    case 'wait':
      return { title: steps.wait }
  }
}
