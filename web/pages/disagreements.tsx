/** Labels about which raters differ: what each said and marked, and one more rater to settle them. */
import { useEffect, useRef, useState } from 'react'
import type { Disagreements as Given } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { Pager } from '../components/pager.tsx'
import { Picture } from '../components/picture.tsx'
import { Points } from '../components/points.tsx'
import { ago } from '../format.ts'
import { useReasonLabels } from '../reason-labels.ts'
import { useAction, useRemote } from '../remote.ts'
import { useSearch } from '../router.ts'
import { useTexts } from '../texts/texts.ts'

const perPage = 12
/** Prompts that may need more than the lines there are. */
const longest = 100

/** @param changes what makes another list likely */
export function Disagreements({ changes }: { changes: unknown }) {
  const { flags } = useTexts()
  const reasonLabel = useReasonLabels()
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
            <h2 id="disagreements">{flags.disagreements}</h2>
            <ErrorNotice error={ask.error} />
            <Head given={given} isBusy={ask.isBusy} ask={(questions) => void ask.run(questions)} />
            <ul className="disputes">
              {given.labels.map((label) => (
                <Dispute
                  key={label.question}
                  label={label}
                  reasonLabel={reasonLabel}
                  isBusy={ask.isBusy}
                  ask={() => void ask.run([label.question])}
                />
              ))}
            </ul>
            <Pager
              title={flags.moreDisagreements}
              offset={offset}
              perPage={perPage}
              total={given.total}
              show={setOffset}
            />
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
  const { flags } = useTexts()
  const open = labels.flatMap(({ question, askedAt }) => (askedAt === null ? [question] : []))
  return (
    <div className="row">
      <p className="soft small">{flags.differ(total, asked, settled)}</p>
      {open.length > 0 && (
        <button type="button" className="button primary small" disabled={isBusy} onClick={() => ask(open)}>
          {flags.askAboutAll(open.length)}
        </button>
      )}
    </div>
  )
}

type Label = Given['labels'][number]

interface DisputeProps {
  readonly label: Label
  readonly reasonLabel: (code: string) => string
  readonly isBusy: boolean
  readonly ask: () => void
}

function Dispute({ label, reasonLabel, isBusy, ask }: DisputeProps) {
  const { flags, label: labelTexts } = useTexts()
  // Of a pair by the sides on which this page shows the images.
  const words: Readonly<Record<string, string | undefined>> = { ...flags.answers, ...flags.sides }
  const { kind, prompt, images, answers, askedAt } = label
  return (
    <li className="card dispute">
      <div className="dispute-images">
        {images.map((image, place) => (
          <span key={image.id} className="marked">
            <Picture
              image={image}
              shown={256}
              alt={images.length === 1 ? flags.whatAbout : place === 0 ? labelTexts.leftSide : labelTexts.rightSide}
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
              {kind === 'rating' ? flags.ofSeven(answer) : (words[answer] ?? answer)}
              {[...reasons.map(reasonLabel), ...misread.map(flags.misses)].map((more) => (
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
          {flags.askThird}
        </button>
      ) : (
        <span className="badge">{flags.asked(ago(askedAt))}</span>
      )}
    </li>
  )
}
