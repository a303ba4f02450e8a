/** What the one big button does at each point of the loop. */
import type { State } from '../src/studio/schemas/state.ts'
import { client } from './api.ts'
import { go } from './router.ts'
import { trainBoth, trainPolicy } from './training-plan.ts'

export interface NextStep {
  readonly title: string
  /** Undefined where there is nothing to do but to wait. */
  readonly work?: () => Promise<unknown>
}

const openJob = ({ id }: { id: string }) => go('train', 'job', id)

export function nextStepOf({ next, rewards, policies, rounds }: State): NextStep {
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
      return { title: 'Train', work: trainBoth }
    case 'train-policy':
      return { title: 'Train', work: async () => openJob(await trainPolicy(reward, policy)) }
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
