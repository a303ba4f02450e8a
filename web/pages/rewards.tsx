/** What a reward has learned: on judgments that it has not seen, where it is sure, and where people disagree with it. */
import type { RewardDetail, RewardSummary } from '../../src/studio/schemas/runs.ts'
import { client } from '../api.ts'
import { Empty, Loaded } from '../components/notice.tsx'
import { NextNeeded } from '../components/next-needed.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ZoomPicture } from '../components/zoom-picture.tsx'
import { ago, duration, figure, percent, plural } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/rewards.css'

export function RewardsPage({ name }: { name?: string }) {
  const { state } = useStudio()
  const rewards = useRemote(() => client.rewards(), ['rewards'], { changes: [state?.rewards.length] })
  return (
    <>
      <PageHead title="Rewards">What has been learned from the labels.</PageHead>
      <Loaded remote={rewards} heights={[60, 260]}>
        {({ rewards: all }) =>
          all.length === 0 ? (
            <Empty
              icon="reward"
              title="There is no reward yet"
              action={<NextNeeded of={['images', 'labels', 'reward']} />}
            >
              It learns from labels what people like, and scores any image of a prompt.
            </Empty>
          ) : (
            <div className="stack">
              {all.length > 1 && (
                <nav className="tabs" aria-label="Rewards">
                  {all.map((reward) => (
                    <a
                      key={reward.name}
                      href={to('rewards', reward.name)}
                      aria-current={reward.name === (name ?? all[0].name) ? 'page' : undefined}
                    >
                      {reward.name}
                    </a>
                  ))}
                </nav>
              )}
              <Reward key={name ?? all[0].name} name={name ?? all[0].name} />
            </div>
          )
        }
      </Loaded>
    </>
  )
}

function Reward({ name }: { name: string }) {
  const detail = useRemote(() => client.reward(name), ['reward', name])
  return (
    <Loaded remote={detail} heights={[140, 300]}>
      {(reward) => (
        <>
          {reward.lack !== null && (
            <div className="notice warn" role="status">
              <strong>No policy starts by itself on this reward</strong>
              <span>{reward.lack}</span>
            </div>
          )}
          <Quality reward={reward} />
          <div className="columns">
            <Calibration reward={reward} />
            <About reward={reward} />
          </div>
          <Disagreements reward={reward} />
        </>
      )}
    </Loaded>
  )
}

function Quality({ reward }: { reward: RewardSummary }) {
  const { heldOut } = reward
  if (heldOut === null) {
    return <p className="notice">No prompts were held out, so it is not known how good this reward is.</p>
  }
  const { n, comparisons, prompts, accuracy, auc, clipScoreAuc, calibrationError, pairAccuracy } = heldOut
  const { tieShare, expectedTieShare } = heldOut
  const facts: (readonly [title: string, value: string | undefined, note?: string | undefined])[] = [
    ['Accuracy', shown(accuracy, inPercent), between(heldOut.accuracyInterval, inPercent)],
    ['AUC', shown(auc, figure), between(heldOut.aucInterval, figure)],
    ['AUC of the CLIP score', shown(clipScoreAuc, figure)],
    ['CLIP score in the reward', shown(reward.clipShare, inPercent)],
    ['Pairs in order', shown(pairAccuracy, inPercent), between(heldOut.pairAccuracyInterval, inPercent)],
    ['The same by a head on the frozen encoder', shown(heldOut.frozenPairAccuracy, inPercent)],
    ['Ahead of it by', shown(heldOut.gain, inPercent), between(heldOut.gainInterval, inPercent)],
    [
      'Ties',
      shown(tieShare, inPercent),
      expectedTieShare === null ? undefined : `${inPercent(expectedTieShare)} expected`,
    ],
    ['Calibration error', shown(calibrationError, figure)],
  ]
  const judged = [
    ...(n > 0 ? [plural(n, 'label')] : []),
    ...(comparisons > 0 ? [plural(comparisons, 'comparison')] : []),
  ]
  return (
    <section className="stack tight">
      <h2>On judgments that it has not seen</h2>
      <dl className="stats">
        {facts.map(
          ([title, value, note]) =>
            value !== undefined && (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{value}</dd>
                {note !== undefined && <dd className="soft small">{note}</dd>}
              </div>
            ),
        )}
      </dl>
      <p className="soft small">
        {judged.join(' and ')} of {plural(prompts, 'prompt')} that training did not see, with 95 % intervals over
        prompts.
      </p>
    </section>
  )
}

const inPercent = (share: number) => percent(share, 1)
const shown = (value: number | null, form: (value: number) => string) => (value === null ? undefined : form(value))
const between = (ends: readonly [number, number] | null, form: (value: number) => string) =>
  ends === null ? undefined : `${form(ends[0])} to ${form(ends[1])}`

const side = 300
const edge = 40

/** Reliability diagram: what is predicted against what people say. */
function Calibration({ reward: { reliability, pairReliability } }: { reward: RewardDetail }) {
  const ofPairs = reliability.length === 0
  const bins = (ofPairs ? pairReliability : reliability).filter(({ n }) => n > 0)
  const most = Math.max(1, ...bins.map(({ n }) => n))
  const at = (share: number) => edge + share * (side - edge - 14)
  const up = (share: number) => side - at(share)
  return (
    <section className="card stack tight">
      <h2>Calibration</h2>
      {bins.length === 0 ? (
        <p className="soft">There are too few held-out judgments to draw it.</p>
      ) : (
        <>
          <svg
            className="chart calibration"
            viewBox={`0 0 ${side} ${side}`}
            role="img"
            aria-label={bins
              .map(
                ({ predicted, observed, interval: [low, high], n }) =>
                  `predicted ${percent(predicted)}, people ${percent(observed)} (${percent(low)} to ${percent(high)}) of ${n}`,
              )
              .join('; ')}
          >
            {[0, 0.5, 1].map((tick) => (
              <g key={tick}>
                <line className="grid" x1={at(0)} x2={at(1)} y1={up(tick)} y2={up(tick)} />
                <text x={at(0) - 6} y={up(tick) + 4} textAnchor="end">
                  {100 * tick}
                </text>
                <text x={at(tick)} y={up(0) + 18} textAnchor="middle">
                  {100 * tick}
                </text>
              </g>
            ))}
            <line className="axis" strokeDasharray="4 4" x1={at(0)} y1={up(0)} x2={at(1)} y2={up(1)} />
            {bins.map(({ low, predicted, observed, interval, n }) => (
              <g key={low}>
                <line
                  className="calibration-line"
                  x1={at(predicted)}
                  x2={at(predicted)}
                  y1={up(interval[0])}
                  y2={up(interval[1])}
                />
                <circle
                  className="calibration-dot"
                  cx={at(predicted)}
                  cy={up(observed)}
                  r={3 + 6 * Math.sqrt(n / most)}
                />
              </g>
            ))}
          </svg>
          <p className="soft small">
            {ofPairs
              ? 'Right: how surely the reward expects the first image of a pair to win, in %. Up: how often it did.'
              : 'Right: what the reward predicts, in %. Up: how many people called it good.'}{' '}
            On the dashed line both agree; larger dots stand for more {ofPairs ? 'pairs' : 'images'}, and the lines are
            95&nbsp;% intervals.
          </p>
        </>
      )}
    </section>
  )
}

const trainedBy = { lora: 'adapters', all: 'all of its weights' } as const

function About({ reward }: { reward: RewardDetail }) {
  const { labels, comparisons, prompts, raters, simulated, head, encoder, at, seconds, policies } = reward
  const { trainedEncoder } = reward
  const facts: (readonly [string, string])[] = [
    ['Labels', figure(labels)],
    ...(comparisons > 0 ? [['Comparisons', figure(comparisons)] as const] : []),
    ['Prompts', figure(prompts)],
    ['Raters', `${figure(raters)}${simulated ? ', one of them simulated' : ''}`],
    ...(head === '' ? [] : [['Head', head] as const]),
    ['Encoder', trainedEncoder === null ? encoder : `${encoder}, trained by ${trainedBy[trainedEncoder]}`],
    ['Trained', `${ago(at)}, in ${duration(seconds)}`],
  ]
  return (
    <section className="card stack tight">
      <h2 dir="auto">{reward.name}</h2>
      <dl className="facts">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
        <div>
          <dt>Policies trained on it</dt>
          <dd>{policies.length === 0 ? 'none yet' : policies.join(', ')}</dd>
        </div>
      </dl>
      {policies.length === 0 && (
        <div>
          <a className="button" href={to('train', 'policy')}>
            Train a policy on it
          </a>
        </div>
      )}
    </section>
  )
}

function Disagreements({ reward: { disagreements } }: { reward: RewardDetail }) {
  return (
    <section className="stack tight">
      <h2>Where people and reward disagree</h2>
      <p className="soft small">
        Told by fits that have seen no judgment of the prompt, where there are any. Where an image was only compared,
        both numbers are its share of wins, a tie being half a win. The largest difference comes first.
      </p>
      {disagreements.length === 0 && (
        <p className="notice">
          On no image that was judged are they on different sides: good by the one, bad by the other.
        </p>
      )}
      <ul className="disagreements">
        {disagreements.map(({ image, prompt, score, people, judgments, by }) => (
          <li key={image.id} className="card flat">
            <ZoomPicture image={image} shown={256} alt={prompt} />
            <strong dir="auto">{prompt}</strong>
            <dl>
              <dt>Reward</dt>
              <dd className={score >= 0.5 ? 'is-good' : 'is-bad'}>{score.toFixed(2)}</dd>
              <dt>People</dt>
              <dd className={people >= 0.5 ? 'is-good' : 'is-bad'}>
                {people.toFixed(2)}{' '}
                <small className="soft">
                  of {by === 'labels' ? figure(judgments) : plural(judgments, 'comparison')}
                </small>
              </dd>
            </dl>
          </li>
        ))}
      </ul>
    </section>
  )
}
