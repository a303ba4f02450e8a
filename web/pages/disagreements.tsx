/** Labels about which raters differ: what each said and marked, and one more rater to settle them. */
import { useEffect, useRef, useState } from 'react'
import type { Disagreements as Given } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { Pager } from '../components/pager.tsx'
import { Picture } from '../components/picture.tsx'
import { Points } from '../components/points.tsx'
import { ago, figure, plural } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { useSearch } from '../router.ts'

const perPage = 12
/** Prompts that may need more than the lines there are. */
const longest = 100

/** @param changes what makes another list likely */
export function Disagreements({ changes }: { changes: unknown }) {
  const [offset, setOffset] = useState(0)
  const query = { offset, count: perPage }
  const remote = useRemote(() => client.disagreements(query), ['disagreements', String(offset)], { changes: [changes] })
  const section = useRef<HTMLElement>(null)
  const isWanted = useSearch().get('at') === 'disagreements'
  const isThere = remote.value !== undefined
  useEffect(() => {
    if (isWanted && isThere) section.current?.scrollIntoView()
  }, [isWanted, isThere])
  const ask = useAction(async (questions: readonly string[]) => {
    await client.askThird({ questions: [...questions] })
    await remote.reload()
  })
  return (
    <Loaded remote={remote} heights={[60]}>
      {(given) =>
        given.total + given.settled === 0 ? null : (
          <section ref={section} className="stack tight" aria-labelledby="disagreements">
            <h2 id="disagreements">Disagreements to settle</h2>
            <ErrorNotice error={ask.error} />
            <Head given={given} isBusy={ask.isBusy} ask={(questions) => void ask.run(questions)} />
            <ul className="disputes">
              {given.labels.map((label) => (
                <Dispute
                  key={label.question}
                  label={label}
                  isBusy={ask.isBusy}
                  ask={() => void ask.run([label.question])}
                />
              ))}
            </ul>
            <Pager title="More disagreements" offset={offset} perPage={perPage} total={given.total} show={setOffset} />
          </section>
        )
      }
    </Loaded>
  )
}

interface HeadProps {
  readonly given: Given
  readonly isBusy: boolean
  readonly ask: (questions: readonly string[]) => void
}

function Head({ given: { labels, total, asked, settled }, isBusy, ask }: HeadProps) {
  const open = labels.flatMap(({ question, askedAt }) => (askedAt === null ? [question] : []))
  return (
    <div className="row">
      <p className="soft small">
        {plural(total, 'label')} on which raters differ and no answer has most of them behind it; {figure(asked)} with
        another rater, {figure(settled)} settled.
      </p>
      {open.length > 0 && (
        <button type="button" className="button primary small" disabled={isBusy} onClick={() => ask(open)}>
          Ask a third rater about all {open.length} shown
        </button>
      )}
    </div>
  )
}

type Label = Given['labels'][number]

/** What a rater said, as words; of a pair by the sides on which this page shows the images. */
const answerWords: Readonly<Record<string, string>> = {
  first: 'left is better',
  second: 'right is better',
  'both-bad': 'both bad',
}

function Dispute({ label, isBusy, ask }: { label: Label; isBusy: boolean; ask: () => void }) {
  const { kind, prompt, images, answers, askedAt } = label
  return (
    <li className="card dispute">
      <div className="dispute-images">
        {images.map((image, place) => (
          <span key={image.id} className="marked">
            <Picture
              image={image}
              shown={256}
              alt={images.length === 1 ? 'What raters differ about' : place === 0 ? 'Left' : 'Right'}
            />
            <Points
              image={image}
              points={answers.flatMap(({ regions }) => regions.filter((region) => region.image === place))}
            />
          </span>
        ))}
      </div>
      <p
        dir="auto"
        className="dispute-prompt"
        // A text that has to be scrolled must be within reach of the keyboard.
        tabIndex={prompt.length > longest ? 0 : undefined}
      >
        {prompt}
      </p>
      <dl className="facts">
        {answers.map(({ rater, answer, reasons, misread }) => (
          <div key={rater}>
            <dt>
              <bdi>{rater}</bdi>
            </dt>
            <dd>
              {kind === 'rating' ? `${answer} of 7` : (answerWords[answer] ?? answer)}
              {[...reasons, ...misread.map((word) => `misses “${word}”`)].map((more) => (
                <span key={more} className="soft small" dir="auto">
                  {' '}
                  · {more}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {askedAt === null ? (
        <button type="button" className="button small" disabled={isBusy} onClick={ask}>
          Ask a third rater
        </button>
      ) : (
        <span className="badge">asked {ago(askedAt)}</span>
      )}
    </li>
  )
}
