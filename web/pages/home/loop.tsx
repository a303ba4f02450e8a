/** The loop as a picture: a station for each thing, with how many of it there are. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon, type IconName } from '../../components/icon.tsx'
import { ago, figure, plural, policyTitle } from '../../format.ts'
import { to } from '../../router.ts'

interface Station {
  readonly title: string
  readonly icon: IconName
  readonly href: string
  readonly count: string
  readonly fact: string
  readonly steps: readonly State['next']['step'][]
}

const drawnBy = (policy: string) => (policy === 'uploaded' ? 'uploaded' : `by ${policyTitle(policy)}`)

function stationsOf({ counts, rounds, rewards, policies, reports }: State): Station[] {
  const reward = rewards[0]
  const prompts = rounds.reduce((sum, round) => sum + round.prompts, 0)
  // Images of comparisons are not for labelling.
  const images = rounds.reduce((sum, round) => sum + round.images, 0)
  const auc = reward?.heldOut?.auc
  return [
    {
      title: 'Prompts',
      icon: 'prompt',
      href: to('train', 'round'),
      count: figure(prompts),
      fact: rounds.length === 0 ? 'what to draw' : plural(rounds.length, 'round'),
      steps: [],
    },
    {
      title: 'Images',
      icon: 'image',
      href: to('train', 'round'),
      count: figure(images),
      fact: rounds.length === 0 ? 'none yet' : drawnBy(rounds.at(-1)!.policy),
      steps: ['draw', 'draw-more', 'draw-again'],
    },
    {
      title: 'Labels',
      icon: 'label',
      href: to('label'),
      count: figure(counts.labels),
      fact: `${figure(counts.judged)} images judged`,
      steps: ['label'],
    },
    {
      title: 'Reward',
      icon: 'reward',
      href: reward === undefined ? to('train', 'reward') : to('rewards', reward.name),
      count: figure(rewards.length),
      fact: reward === undefined ? 'learns from labels' : typeof auc !== 'number' ? reward.name : `AUC ${figure(auc)}`,
      steps: ['train-reward'],
    },
    {
      title: 'Policy',
      icon: 'policy',
      href: to('train', 'policy'),
      count: figure(policies.length),
      fact: policies[0]?.name ?? 'learns from the reward',
      steps: ['train-policy', 'train-closer', 'train-pairs'],
    },
    {
      title: 'Compare',
      icon: 'compare',
      href: to('compare'),
      count: figure(counts.votes),
      fact: counts.votes === 1 ? 'vote' : 'votes',
      steps: ['compare', 'vote'],
    },
    {
      title: 'Report',
      icon: 'report',
      href: to('reports'),
      count: figure(reports.length),
      fact: reports[0] === undefined ? 'none yet' : ago(reports[0].at),
      steps: ['report'],
    },
  ]
}

export function Loop({ state }: { state: State }) {
  return (
    <div className="loop">
      <ol className="stations">
        {stationsOf(state).map(({ title, icon, href, count, fact, steps }) => (
          <li key={title} className="station" data-next={steps.includes(state.next.step)}>
            <a href={href}>
              <span className="station-icon">
                <Icon name={icon} size={22} />
              </span>
              <span className="station-title">{title}</span>
              <span className="station-count">{count}</span>
              <span className="station-fact" dir="auto">
                {fact}
              </span>
            </a>
          </li>
        ))}
      </ol>
      <p className="loop-back soft small">
        <Icon name="undo" size={16} /> the next round starts from the policy
      </p>
    </div>
  )
}
