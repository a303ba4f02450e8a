/** Who judges, how fast, and how well they agree. */
import type { Interval } from '../../src/studio/schemas/basics.ts'
import type { Agreement, RaterSummary } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { Empty, ErrorNotice, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ago, figure, fixed } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import '../styles/raters.css'
import { Disagreements } from './disagreements.tsx'
import { Flags } from './flags.tsx'
import { Invitations } from './invitations.tsx'

export function RatersPage() {
  const { frame, raters: texts } = useTexts()
  const { state } = useStudio()
  const key = state?.counts.judgments
  const raters = useRemote(() => client.raters(), ['raters'], { changes: [key] })
  const agreement = useRemote(() => client.agreement(), ['agreement'], { changes: [key] })
  return (
    <>
      <PageHead
        title={frame.places.raters}
        side={
          <div className="row">
            <a className="button" href={to('raters', 'log')}>
              {texts.log}
            </a>
            <a className="button" href={to('raters', 'asking')}>
              {texts.asking}
            </a>
          </div>
        }
      >
        {texts.about}
      </PageHead>
      <div className="stack">
        <Loaded remote={raters} heights={[92 + 50 * (state?.counts.raters ?? 1)]}>
          {({ raters: all }) =>
            all.length === 0 ? (
              <Empty
                icon="raters"
                title={texts.nobody}
                action={
                  <a className="button primary" href={to('label')}>
                    {frame.places.label}
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

const coefficient = (value: number) => fixed(value, 2)
const intervalText = ({ value, low, high }: Interval): string =>
  low === null || high === null
    ? coefficient(value)
    : `${coefficient(value)} (${coefficient(low)} … ${coefficient(high)})`

function RaterTable({ raters, reload }: { raters: readonly RaterSummary[]; reload: () => Promise<void> }) {
  const { raters: texts } = useTexts()
  const { columns } = texts
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
              <th scope="col">{columns.rater}</th>
              <th scope="col">{columns.answers}</th>
              <th scope="col">{columns.seconds}</th>
              <th scope="col">{columns.agreement}</th>
              <th scope="col">{columns.gold}</th>
              <th scope="col">{columns.last}</th>
              <th scope="col">{columns.trains}</th>
            </tr>
          </thead>
          <tbody>
            {raters.map(({ name, kind, judgments, skips, secondsPerAnswer, agreement, gold, excluded, lastAt }) => (
              <tr key={name} data-excluded={excluded}>
                <td>
                  <a className="text-link" href={to('raters', 'of', name)}>
                    <strong dir="auto">{name}</strong>
                  </a>{' '}
                  {kind === 'simulated' && <span className="badge">{texts.simulated}</span>}
                </td>
                <td data-title={columns.answers}>
                  <span>
                    {figure(judgments)}{' '}
                    <span className="soft small">
                      {skips > 0 && texts.shareSkipped(skips / Math.max(1, judgments))}
                    </span>
                  </span>
                </td>
                <td data-title={columns.seconds}>{secondsPerAnswer === null ? '–' : fixed(secondsPerAnswer, 1)}</td>
                <td data-title={columns.agreement}>{agreement === null ? '–' : intervalText(agreement)}</td>
                <td data-title={columns.gold}>{gold.asked === 0 ? '–' : texts.rightOf(gold.right, gold.asked)}</td>
                <td data-title={columns.last} className="soft">
                  {lastAt === null ? '–' : ago(lastAt)}
                </td>
                <td data-title={columns.trains}>
                  <button
                    type="button"
                    role="switch"
                    className="switch"
                    aria-checked={!excluded}
                    aria-label={texts.trainsOf(name)}
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

const mostPairs = 12

function AgreementCards({ agreement: { kinds } }: { agreement: Agreement }) {
  const { raters: texts } = useTexts()
  if (kinds.length === 0) {
    return <p className="notice">{texts.noAgreement}</p>
  }
  return (
    <section className="stack tight">
      <h2>{texts.agreement}</h2>
      <div className="columns broad">
        {kinds.map(({ kind, items, raters, alphaNominal, alphaOrdinal, fleissKappa, pairs }) => (
          <article key={kind} className="card stack tight">
            <div>
              <h3>{texts.kinds[kind]}</h3>
              <p className="soft small">{texts.judgedBySeveral(items, raters)}</p>
            </div>
            <dl className="facts figures">
              {(
                [
                  [texts.alphaNominal, alphaNominal],
                  [texts.alphaOrdinal, alphaOrdinal],
                  [texts.fleissKappa, fleissKappa],
                ] as const
              ).map(([title, interval]) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd className="number">{interval === null ? texts.notDefined : intervalText(interval)}</dd>
                </div>
              ))}
            </dl>
            {pairs.length > 0 && (
              <>
                <h4>{texts.cohensKappa}</h4>
                <dl className="facts figures">
                  {pairs.slice(0, mostPairs).map(({ first, second, kappa }) => (
                    <div key={`${first} ${second}`}>
                      <dt>
                        <bdi>{first}</bdi> {texts.and} <bdi>{second}</bdi>
                      </dt>
                      <dd className="number">{intervalText(kappa)}</dd>
                    </div>
                  ))}
                </dl>
              </>
            )}
            {alphaNominal === null && <p className="soft small">{texts.allEqual}</p>}
          </article>
        ))}
      </div>
      <p className="soft small">{texts.inBrackets}</p>
    </section>
  )
}
