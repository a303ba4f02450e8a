/** What a reward has learned: on judgments that it has not seen, where it is sure, and where people disagree with it. */
import type { RewardDetail, RewardSummary } from '../../src/studio/schemas/runs.ts'
import { client } from '../api.ts'
import { Empty, Loaded } from '../components/notice.tsx'
import { NextNeeded } from '../components/next-needed.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ZoomPicture } from '../components/zoom-picture.tsx'
import { ago, duration, figure, fixed, percent } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import '../styles/rewards.css'

export function RewardsPage({ name }: { name?: string }) {
  const texts = useTexts().rewards
  const { state } = useStudio()
  const rewards = useRemote(() => client.rewards(), ['rewards'], { changes: [state?.rewards.length] })
  return (
    <>
      <PageHead title={texts.title}>{texts.about}</PageHead>
      <Loaded remote={rewards} heights={[60, 260]}>
        {({ rewards: all }) =>
          all.length === 0 ? (
            <Empty icon="reward" title={texts.none} action={<NextNeeded of={['images', 'labels', 'reward']} />}>
              {texts.noneWhy}
            </Empty>
          ) : (
            <div className="stack">
              {all.length > 1 && (
                <nav className="tabs" aria-label={texts.title}>
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
  const { next, rewards } = useTexts()
  const detail = useRemote(() => client.reward(name), ['reward', name])
  return (
    <Loaded remote={detail} heights={[140, 300]}>
      {(reward) => (
        <>
          {reward.lack !== null && (
            <div className="notice warn" role="status">
              <strong>{rewards.noPolicyStarts}</strong>
              <span>{next.lack(reward.name, reward.lack)}</span>
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
  const { quality } = useTexts().rewards
  const { heldOut } = reward
  if (heldOut === null) return <p className="notice">{quality.notMeasured}</p>
  const { n, comparisons, prompts, accuracy, auc, clipScoreAuc, calibrationError, pairAccuracy } = heldOut
  const { tieShare, expectedTieShare } = heldOut
  const between = (ends: readonly [number, number] | null, form: (value: number) => string) =>
    ends === null ? undefined : quality.between(form(ends[0]), form(ends[1]))
  const facts: (readonly [title: string, value: string | undefined, note?: string | undefined])[] = [
    [quality.accuracy, shown(accuracy, inPercent), between(heldOut.accuracyInterval, inPercent)],
    [quality.auc, shown(auc, figure), between(heldOut.aucInterval, figure)],
    [quality.clipAuc, shown(clipScoreAuc, figure)],
    [quality.clipShare, shown(reward.clipShare, inPercent)],
    [quality.pairs, shown(pairAccuracy, inPercent), between(heldOut.pairAccuracyInterval, inPercent)],
    [quality.frozenPairs, shown(heldOut.frozenPairAccuracy, inPercent)],
    [quality.gain, shown(heldOut.gain, inPercent), between(heldOut.gainInterval, inPercent)],
    [
      quality.ties,
      shown(tieShare, inPercent),
      expectedTieShare === null ? undefined : quality.tiesExpected(inPercent(expectedTieShare)),
    ],
    [quality.calibrationError, shown(calibrationError, figure)],
  ]
  return (
    <section className="stack tight">
      <h2>{quality.title}</h2>
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
      <p className="soft small">{quality.on(n, comparisons, prompts)}</p>
    </section>
  )
}

const inPercent = (share: number) => percent(share, 1)
const shown = (value: number | null, form: (value: number) => string) => (value === null ? undefined : form(value))

const side = 300
const edge = 40

/** Reliability diagram: what is predicted against what people say. */
function Calibration({ reward: { reliability, pairReliability } }: { reward: RewardDetail }) {
  const { calibration } = useTexts().rewards
  const ofPairs = reliability.length === 0
  const bins = (ofPairs ? pairReliability : reliability).filter(({ n }) => n > 0)
  const most = Math.max(1, ...bins.map(({ n }) => n))
  const at = (share: number) => edge + share * (side - edge - 14)
  const up = (share: number) => side - at(share)
  return (
    <section className="card stack tight">
      <h2>{calibration.title}</h2>
      {bins.length === 0 ? (
        <p className="soft">{calibration.tooFew}</p>
      ) : (
        <>
          <svg
            className="chart calibration"
            viewBox={`0 0 ${side} ${side}`}
            role="img"
            aria-label={bins
              .map(({ predicted, observed, interval: [low, high], n }) =>
                calibration.point(percent(predicted), percent(observed), percent(low), percent(high), n),
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
          <p className="soft small">{ofPairs ? calibration.ofPairs : calibration.ofImages}</p>
        </>
      )}
    </section>
  )
}

function About({ reward }: { reward: RewardDetail }) {
  const { labels, comparisons, prompts, raters, simulated, head, encoder, at, seconds, policies } = reward
  const { trainedEncoder } = reward
  const texts = useTexts().rewards.facts
  const facts: (readonly [string, string])[] = [
    [texts.labels, figure(labels)],
    ...(comparisons > 0 ? [[texts.comparisons, figure(comparisons)] as const] : []),
    [texts.prompts, figure(prompts)],
    [texts.raters, texts.ratersOf(raters, simulated)],
    ...(head === '' ? [] : [[texts.head, head] as const]),
    [texts.encoder, trainedEncoder === null ? encoder : texts.trainedEncoder[trainedEncoder](encoder)],
    [texts.trained, texts.trainedIn(ago(at), duration(seconds))],
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
          <dt>{texts.policies}</dt>
          <dd>{policies.length === 0 ? texts.noPolicies : policies.join(', ')}</dd>
        </div>
      </dl>
      {policies.length === 0 && (
        <div>
          <a className="button" href={to('train', 'policy')}>
            {texts.trainPolicy}
          </a>
        </div>
      )}
    </section>
  )
}

function Disagreements({ reward: { disagreements } }: { reward: RewardDetail }) {
  const texts = useTexts().rewards.disagreements
  return (
    <section className="stack tight">
      <h2>{texts.title}</h2>
      <p className="soft small">{texts.how}</p>
      {disagreements.length === 0 && <p className="notice">{texts.none}</p>}
      <ul className="disagreements">
        {disagreements.map(({ image, prompt, score, people, judgments, by }) => (
          <li key={image.id} className="card flat">
            <ZoomPicture image={image} shown={256} alt={prompt} />
            <strong dir="auto">{prompt}</strong>
            <dl>
              <dt>{texts.reward}</dt>
              <dd className={score >= 0.5 ? 'is-good' : 'is-bad'}>{fixed(score, 2)}</dd>
              <dt>{texts.people}</dt>
              <dd className={people >= 0.5 ? 'is-good' : 'is-bad'}>
                {fixed(people, 2)}{' '}
                <small className="soft">
                  {by === 'labels' ? texts.ofAnswers(judgments) : texts.ofComparisons(judgments)}
                </small>
              </dd>
            </dl>
          </li>
        ))}
      </ul>
    </section>
  )
}
