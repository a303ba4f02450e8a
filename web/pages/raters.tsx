/** Who judges, how fast, and how well they agree. */
import type { Interval } from '../../src/studio/schemas/basics.ts'
import type { Agreement, RaterSummary } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { Empty, ErrorNotice, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ago, figure, percent, plural } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/raters.css'
import { Disagreements } from './disagreements.tsx'
import { Flags } from './flags.tsx'
import { Invitations } from './invitations.tsx'

export function RatersPage() {
  const { state } = useStudio()
  const key = state?.counts.judgments
  const raters = useRemote(() => client.raters(), ['raters'], { changes: [key] })
  const agreement = useRemote(() => client.agreement(), ['agreement'], { changes: [key] })
  return (
    <>
      <PageHead
        title="Raters"
        side={
          <div className="row">
            <a className="button" href={to('raters', 'log')}>
              What admins did
            </a>
            <a className="button" href={to('raters', 'asking')}>
              How raters are asked
            </a>
          </div>
        }
      >
        Who judges, how fast, and how well they agree.
      </PageHead>
      <div className="stack">
        <Loaded remote={raters} heights={[92 + 50 * (state?.counts.raters ?? 1)]}>
          {({ raters: all }) =>
            all.length === 0 ? (
              <Empty
                icon="raters"
                title="Nobody has judged yet"
                action={
                  <a className="button primary" href={to('label')}>
                    Label
                  </a>
                }
              />
            ) : (
              <RaterTable raters={all} reload={raters.reload} />
            )
          }
        </Loaded>
        {(state?.counts.judgments ?? 0) > 0 && <Flags changes={key} />}
        <Loaded remote={agreement} heights={[300]}>
          {(given) => <AgreementCards agreement={given} />}
        </Loaded>
        <Disagreements changes={key} />
        {state?.login === true && <Invitations />}
      </div>
    </>
  )
}

const coefficient = (value: number) => value.toFixed(2).replace('-', '−')
const intervalText = ({ value, low, high }: Interval): string =>
  low === null || high === null
    ? coefficient(value)
    : `${coefficient(value)} (${coefficient(low)} … ${coefficient(high)})`

function RaterTable({ raters, reload }: { raters: readonly RaterSummary[]; reload: () => Promise<void> }) {
  const { run, isBusy, error } = useAction(async (name: string, excluded: boolean) => {
    await client.changeRater(name, { excluded })
    await reload()
  })
  return (
    <div className="card flat">
      <ErrorNotice error={error} />
      <div className="table-wrap">
        <table className="table raters">
          <thead>
            <tr>
              <th scope="col">Rater</th>
              <th scope="col">Answers</th>
              <th scope="col">Seconds each</th>
              <th scope="col">Agreement, κ</th>
              <th scope="col">Gold</th>
              <th scope="col">Last</th>
              <th scope="col">Trains rewards</th>
            </tr>
          </thead>
          <tbody>
            {raters.map(({ name, kind, judgments, skips, secondsPerAnswer, agreement, gold, excluded, lastAt }) => (
              <tr key={name} data-excluded={excluded}>
                <td>
                  <a className="text-link" href={to('raters', 'of', name)}>
                    <strong dir="auto">{name}</strong>
                  </a>{' '}
                  {kind === 'simulated' && <span className="badge">simulated</span>}
                </td>
                <td data-title="Answers">
                  <span>
                    {figure(judgments)}{' '}
                    <span className="soft small">
                      {skips > 0 && `${percent(skips / Math.max(1, judgments))} skipped`}
                    </span>
                  </span>
                </td>
                <td data-title="Seconds each">{secondsPerAnswer === null ? '–' : secondsPerAnswer.toFixed(1)}</td>
                <td data-title="Agreement, κ">{agreement === null ? '–' : intervalText(agreement)}</td>
                <td data-title="Gold">{gold.asked === 0 ? '–' : `${gold.right} of ${gold.asked}`}</td>
                <td data-title="Last" className="soft">
                  {lastAt === null ? '–' : ago(lastAt)}
                </td>
                <td data-title="Trains rewards">
                  <button
                    type="button"
                    role="switch"
                    className="switch"
                    aria-checked={!excluded}
                    aria-label={`Answers of ${name} train rewards`}
                    disabled={isBusy}
                    onClick={() => void run(name, !excluded)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

const kindTitles: Readonly<Record<Agreement['kinds'][number]['kind'], string>> = {
  'good-bad-skip': 'Good or bad',
  pair: 'Pairs',
  rating: 'Ratings',
  ranking: 'Rankings',
}

const mostPairs = 12

function AgreementCards({ agreement: { kinds } }: { agreement: Agreement }) {
  if (kinds.length === 0) {
    return (
      <p className="notice">
        Agreement is measured on what two raters or more have judged. So far nothing was judged twice.
      </p>
    )
  }
  return (
    <section className="stack tight">
      <h2>Agreement</h2>
      <div className="columns broad">
        {kinds.map(({ kind, items, raters, alphaNominal, alphaOrdinal, fleissKappa, pairs }) => (
          <article key={kind} className="card stack tight">
            <div>
              <h3>{kindTitles[kind]}</h3>
              <p className="soft small">
                {plural(items, 'item')} judged by two or more of {plural(raters, 'rater')}
              </p>
            </div>
            <dl className="facts figures">
              {(
                [
                  ['Krippendorff’s α, nominal', alphaNominal],
                  ['Krippendorff’s α, ordinal', alphaOrdinal],
                  ['Fleiss’ κ', fleissKappa],
                ] as const
              ).map(([title, interval]) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd className="number">{interval === null ? 'not defined' : intervalText(interval)}</dd>
                </div>
              ))}
            </dl>
            {pairs.length > 0 && (
              <>
                <h4>Cohen’s κ of two raters</h4>
                <dl className="facts figures">
                  {pairs.slice(0, mostPairs).map(({ first, second, kappa }) => (
                    <div key={`${first} ${second}`}>
                      <dt>
                        <bdi>{first}</bdi> and <bdi>{second}</bdi>
                      </dt>
                      <dd className="number">{intervalText(kappa)}</dd>
                    </div>
                  ))}
                </dl>
              </>
            )}
            {alphaNominal === null && (
              <p className="soft small">All answers are equal, so agreement cannot be told from chance.</p>
            )}
          </article>
        ))}
      </div>
      <p className="soft small">
        In brackets: 95 % intervals, where there are five items or more. 1 is full agreement, 0 is chance.
      </p>
    </section>
  )
}
