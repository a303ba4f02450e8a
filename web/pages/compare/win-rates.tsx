import type { Interval } from '../../../src/studio/schemas/basics.ts'
import type { WinRate } from '../../../src/studio/schemas/comparing.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { percent, plural, policyTitle } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { useStudio } from '../../studio-state.tsx'

/** Who won how often, with 95 % intervals; of all policies, or of those named. */
export function WinRates({ policies }: { policies?: readonly string[] }) {
  const { state } = useStudio()
  const votes = useRemote(() => client.votes(), ['votes'], { changes: [state?.counts.votes] })
  return (
    <section className="stack tight">
      <h2>Votes</h2>
      <Loaded remote={votes} heights={[90]}>
        {({ winRates }) => {
          const shown = winRates.filter(
            ({ first, second }) => policies === undefined || (policies.includes(first) && policies.includes(second)),
          )
          return shown.length === 0 ? (
            <p className="notice">Nobody has voted yet. Votes are blind: which side is which policy is not told.</p>
          ) : (
            <div className="columns">
              {shown.map((rate) => (
                <WinRateCard key={`${rate.first} ${rate.second} ${rate.form} ${rate.question}`} rate={rate} />
              ))}
            </div>
          )
        }}
      </Loaded>
    </section>
  )
}

/** The trained policy is the one that is asked about: "wins of 62 %" is said of it. */
function turned(rate: WinRate): WinRate {
  if (rate.first !== 'pretrained') return rate
  const { first, second, wins, losses, decided } = rate
  return {
    ...rate,
    first: second,
    second: first,
    wins: losses,
    losses: wins,
    rate: rate.rate && flipped(rate.rate),
    decided: decided && { ...decided, first: decided.second, second: decided.first },
  }
}
const flipped = ({ value, low, high, n }: Interval): Interval => ({
  value: 1 - value,
  low: high === null ? null : 1 - high,
  high: low === null ? null : 1 - low,
  n,
})

function WinRateCard({ rate: given }: { rate: WinRate }) {
  const { first, second, form, question, votes, raters, wins, losses, ties, rate, decided } = turned(given)
  return (
    <article className="card stack tight">
      <div>
        <h3 dir="auto">
          {policyTitle(first)} <span className="soft">against</span> {policyTitle(second)}
        </h3>
        <p className="soft small">
          {question === 'alignment' ? 'shows the prompt better' : 'better picture'} ·{' '}
          {form === 'set' ? 'sets of images' : 'single pairs'}
        </p>
      </div>
      {rate !== null && (
        <>
          <p className="win-rate">
            {percent(rate.value)}
            {rate.low !== null && rate.high !== null && (
              <small>
                wins, {percent(rate.low)} to {percent(rate.high)}
              </small>
            )}
          </p>
          <span className="win-bar" aria-hidden="true">
            {rate.low !== null && rate.high !== null && (
              <span className="win-range" style={{ left: `${100 * rate.low}%`, right: `${100 * (1 - rate.high)}%` }} />
            )}
            <span className="win-half" />
            <span className="win-dot" style={{ left: `${100 * rate.value}%` }} />
          </span>
          <span className="win-ends" aria-hidden="true">
            <span>0 %</span>
            <span>50 %</span>
            <span>100 %</span>
          </span>
        </>
      )}
      <p className="soft small">
        {plural(wins, 'win')}, {plural(losses, 'loss', 'losses')}, {plural(ties, 'tie')} · {plural(votes, 'vote')} of{' '}
        {plural(raters, 'rater')}
      </p>
      {decided !== null && (
        <p className="soft small">
          With at least two thirds of the votes on a prompt: {decided.first} won, {decided.second} lost,{' '}
          {decided.undecided} undecided.
        </p>
      )}
    </article>
  )
}
