/** One rater over time: how much, how fast, how far in agreement, and every answer. */
import { useState } from 'react'
import type { RaterHistory } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { Loaded } from '../components/notice.tsx'
import { Pager } from '../components/pager.tsx'
import { PageHead } from '../components/page-head.tsx'
import { Picture } from '../components/picture.tsx'
import { figure, fixed } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { speech, useTexts } from '../texts/texts.ts'
import { answerText, Flags } from './flags.tsx'
import '../styles/raters.css'

const perPage = 24

export function RaterHistoryPage({ name }: { name: string }) {
  const { raters: texts } = useTexts()
  const { state } = useStudio()
  const [offset, setOffset] = useState(0)
  const changes = state?.counts.judgments
  const query = { offset, count: perPage }
  const history = useRemote(() => client.raterHistory(name, query), ['rater', name, String(offset)], { changes: [changes] }) // prettier-ignore
  return (
    <>
      <p className="back">
        <a className="text-link" href={to('raters')}>
          {texts.all}
        </a>
      </p>
      <PageHead
        title={name}
        side={
          <a className="button" href={`${to('raters')}?at=disagreements`}>
            {texts.settle}
          </a>
        }
      >
        {texts.dayByDay}
      </PageHead>
      <Loaded remote={history} heights={[200, 300]}>
        {({ days, answers, total }) => (
          <div className="stack">
            <DayTable days={days} />
            <Flags changes={changes} rater={name} />
            <section className="stack tight" aria-labelledby="answers">
              <h2 id="answers">{texts.allAnswers}</h2>
              <ul className="disputes">
                {answers.map((one) => (
                  <Answer key={one.answer.id} {...one} />
                ))}
              </ul>
              <Pager
                title={texts.moreAnswers}
                offset={offset}
                perPage={perPage}
                total={total}
                show={setOffset}
                names={[texts.later, texts.earlier]}
              />
            </section>
          </div>
        )}
      </Loaded>
    </>
  )
}

function DayTable({ days }: { days: RaterHistory['days'] }) {
  const { raters: texts } = useTexts()
  const { columns } = texts
  return (
    <div className="card flat">
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{columns.day}</th>
              <th scope="col">{columns.answers}</th>
              <th scope="col">{columns.seconds}</th>
              <th scope="col">{columns.asOthers}</th>
              <th scope="col">{columns.gold}</th>
            </tr>
          </thead>
          <tbody>
            {days.map(({ day, answers, skips, seconds, compared, agreed, gold }) => (
              <tr key={day}>
                <td>{day}</td>
                <td data-title={columns.answers}>
                  <span>
                    {figure(answers)} {skips > 0 && <span className="soft small">{texts.skipped(skips)}</span>}
                  </span>
                </td>
                <td data-title={columns.seconds}>{seconds === null ? '–' : fixed(seconds, 1)}</td>
                <td data-title={columns.asOthers}>
                  {compared === 0 ? '–' : texts.shareOf(agreed / compared, compared)}
                </td>
                <td data-title={columns.gold}>{gold.asked === 0 ? '–' : texts.rightOf(gold.right, gold.asked)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function Answer({ answer, images, prompt, isOver }: RaterHistory['answers'][number]) {
  const { raters: texts } = useTexts()
  const letter = (id: string) => {
    const place = answer.images.indexOf(id)
    return answer.images.length === 2 ? (place === 0 ? texts.left : texts.right) : String(place + 1)
  }
  return (
    <li className="card dispute">
      <div className="dispute-images">
        {images.map((image) => (
          <Picture key={image.id} image={image} shown={256} alt={texts.image(letter(image.id))} />
        ))}
      </div>
      <p dir="auto" className="dispute-prompt" tabIndex={prompt.length > 100 ? 0 : undefined}>
        {prompt}
      </p>
      <span>
        <strong>{answerText(answer, letter, images.length > 1)}</strong>
        <span className="soft small">
          {answer.seconds !== null && ` · ${texts.after(answer.seconds)}`} · {speech().moment(answer.at)}
        </span>
      </span>
      {(isOver || answer.decision === 'left-out') && (
        <span className="badge">{answer.decision === 'left-out' ? texts.leftOut : texts.overtaken}</span>
      )}
    </li>
  )
}
