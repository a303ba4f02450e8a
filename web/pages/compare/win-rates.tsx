import type { WinRate } from '../../../src/studio/schemas/comparing.ts'
import { intervalSentence, verdictSentence, wantedSentence } from '../../../src/report/votes/verdict-words.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { plural, policyTitle } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { useStudio } from '../../studio-state.tsx'

/** What votes came to, in words; of all policies, or of those named. */
export function WinRates({ policies }: { policies?: readonly string[] }) {
  const { state } = useStudio()
  const votes = useRemote(() => client.votes(), ['votes'], { changes: [state?.counts.votes] })
  return (
    <section className="stack tight">
      <h2>What people voted</h2>
      <Loaded remote={votes} heights={[90]}>
        {({ winRates }) => {
          const shown = winRates.filter(
            ({ first, second }) => policies === undefined || (policies.includes(first) && policies.includes(second)),
          )
          return shown.length === 0 ? (
            <p className="notice">Nobody has voted yet. Votes are blind: which side is which policy is not told.</p>
          ) : (
            <div className="verdicts">
              {shown.map((rate) => (
                <VerdictCard key={`${rate.first} ${rate.second} ${rate.form} ${rate.question}`} rate={rate} />
              ))}
            </div>
          )
        }}
      </Loaded>
    </section>
  )
}

const sentenceOf = ({ first, second, verdict }: WinRate): string =>
  verdictSentence(verdict, first, second === 'pretrained' ? `the ${policyTitle(second)}` : second)

function VerdictCard({ rate }: { rate: WinRate }) {
  const { form, question, votes, raters, decided, verdict } = rate
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
        {question === 'alignment' ? 'Which shows the prompt better?' : 'Which is the better picture?'} ·{' '}
        {form === 'set' ? 'sets of images' : 'single pairs'}
      </p>
      <h3 dir="auto">{sentenceOf(rate)}.</h3>
      <span className="outcome" aria-hidden="true">
        {counts.map(
          ([name, count]) => count > 0 && <i key={name} className={name} style={{ flexGrow: count / total }} />,
        )}
      </span>
      <p className="outcome-counts number">
        {plural(won, 'win')}, {plural(tied, 'tie')}, {plural(lost, 'loss', 'losses')}
      </p>
      <p className="small">{intervalSentence(said)}</p>
      <p className="small">{wantedSentence(said)}</p>
      {decided !== null && (
        <p className="soft small">
          With at least two thirds of the votes on a prompt: {decided.first} won, {decided.second} lost,{' '}
          {decided.undecided} undecided.
        </p>
      )}
      <p className="soft small">
        {plural(votes, 'vote')} of {plural(raters, 'rater')}; what was compared counts once, however many voted on it.
      </p>
    </article>
  )
}
