/** The loop as a picture: a station for each thing, with how many of it there are. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon, type IconName } from '../../components/icon.tsx'
import { ago, figure } from '../../format.ts'
import { to } from '../../router.ts'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'

interface Station {
  readonly title: string
  readonly icon: IconName
  readonly href: string
  readonly count: string
  readonly fact: string
  readonly steps: readonly State['next']['step'][]
}

function stationsOf(
  { counts, rounds, rewards, policies, reports }: State,
  { stations, facts }: Texts['home'],
): Station[] {
  const reward = rewards[0]
  const prompts = rounds.reduce((sum, round) => sum + round.prompts, 0)
  // Images of comparisons are not for labelling.
  const images = rounds.reduce((sum, round) => sum + round.images, 0)
  const auc = reward?.heldOut?.auc
  const by = rounds.at(-1)?.policy
  return [
    {
      title: stations.prompts,
      icon: 'prompt',
      href: to('train', 'round'),
      count: figure(prompts),
      fact: rounds.length === 0 ? facts.prompts : facts.rounds(rounds.length),
      steps: [],
    },
    {
      title: stations.images,
      icon: 'image',
      href: to('train', 'round'),
      count: figure(images),
      fact:
        by === undefined
          ? facts.noneYet
          : by === 'uploaded'
            ? facts.uploaded
            : facts.drawnBy(by === 'pretrained' ? null : by),
      steps: ['draw', 'draw-more', 'draw-again'],
    },
    {
      title: stations.labels,
      icon: 'label',
      href: to('label'),
      count: figure(counts.labels),
      fact: facts.judged(counts.judged),
      steps: ['label'],
    },
    {
      title: stations.reward,
      icon: 'reward',
      href: reward === undefined ? to('train', 'reward') : to('rewards', reward.name),
      count: figure(rewards.length),
      fact: reward === undefined ? facts.reward : typeof auc !== 'number' ? reward.name : `AUC ${figure(auc)}`,
      steps: ['train-reward'],
    },
    {
      title: stations.policy,
      icon: 'policy',
      href: to('train', 'policy'),
      count: figure(policies.length),
      fact: policies[0]?.name ?? facts.policy,
      steps: ['train-policy', 'train-closer', 'train-pairs'],
    },
    {
      title: stations.compare,
      icon: 'compare',
      href: to('compare'),
      count: figure(counts.votes),
      fact: facts.votes(counts.votes),
      steps: ['compare', 'vote'],
    },
    {
      title: stations.report,
      icon: 'report',
      href: to('reports'),
      count: figure(reports.length),
      fact: reports[0] === undefined ? facts.noneYet : ago(reports[0].at),
      steps: ['report'],
    },
  ]
}

export function Loop({ state }: { state: State }) {
  const { home } = useTexts()
  return (
    <div className="loop">
      <ol className="stations">
        {stationsOf(state, home).map(({ title, icon, href, count, fact, steps }) => (
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
        <Icon name="undo" size={16} /> {home.loopBack}
      </p>
    </div>
  )
}
