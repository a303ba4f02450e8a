import type { WinRate } from '../../../src/studio/schemas/comparing.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { useRemote } from '../../remote.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

/** What votes came to, in words; of all policies, or of those named. */
export function WinRates({ policies }: { policies?: readonly string[] }) {
  const { compare: texts } = useTexts()
  const { state } = useStudio()
  const votes = useRemote(() => client.votes(), ['votes'], { changes: [state?.counts.votes] })
  return (
    <section className="stack tight">
      <h2>{texts.voted}</h2>
      <Loaded remote={votes} heights={[90]}>
        {({ winRates }) => {
          const shown = winRates.filter(
            ({ first, second }) => policies === undefined || (policies.includes(first) && policies.includes(second)),
          )
          return shown.length === 0 ? (
            <p className="notice">{texts.nobodyVoted}</p>
          ) : (
            <>
              {shown.length > 1 && <p className="soft small">{texts.several(shown.length)}</p>}
              <div className="verdicts">
                {shown.map((rate) => (
                  <VerdictCard key={`${rate.first} ${rate.second} ${rate.form} ${rate.question}`} rate={rate} />
                ))}
              </div>
            </>
          )
        }}
      </Loaded>
    </section>
  )
}

function VerdictCard({ rate }: { rate: WinRate }) {
  const { compare: texts } = useTexts()
  const { first, second, form, question, votes, raters, decided, verdict } = rate
  const { better, won, tied, lost, share } = verdict
  const said = { ...verdict, interval: share }
  const counts = [
    ['won', won],
    ['tied', tied],
    ['lost', lost],
  ] as const
  const total = Math.max(1, won + tied + lost)
  return (
    <article className={`card stack tight verdict ${{ first: 'better', second: 'worse', open: '' }[better ?? 'open']}`}>
      <p className="soft small">
        {texts.questions[question]} · {texts.forms[form]}
      </p>
      <h3 dir="auto">{texts.verdict(verdict, first, second === 'pretrained' ? null : second)}</h3>
      <span className="outcome" aria-hidden="true">
        {counts.map(
          ([name, count]) => count > 0 && <i key={name} className={name} style={{ flexGrow: count / total }} />,
        )}
      </span>
      <p className="outcome-counts number">{texts.counts(won, tied, lost)}</p>
      <p className="small">{texts.interval(said)}</p>
      <p className="small">{texts.wanted(said)}</p>
      {decided !== null && (
        <p className="soft small">{texts.byTwoThirds(decided.first, decided.second, decided.undecided)}</p>
      )}
      <p className="soft small">{texts.votes(votes, raters)}</p>
    </article>
  )
}
