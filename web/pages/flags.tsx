/** Answers that somebody should look at, and what becomes of them: asked again, left out, or kept. Nothing goes by itself. */
import { useState } from 'react'
import type { FlagKind, FlaggedAnswer, Flags as Given } from '../../src/studio/schemas/raters.ts'
import { client } from '../api.ts'
import { ErrorNotice, Loaded } from '../components/notice.tsx'
import { Pager } from '../components/pager.tsx'
import { Picture } from '../components/picture.tsx'
import { Tabs } from '../components/tabs.tsx'
import { ago } from '../format.ts'
import { useAction, useRemote } from '../remote.ts'
import { texts, useTexts } from '../texts/texts.ts'

const perPage = 12
type State = 'open' | 'left-out' | 'kept'
type Flag = Given['flags'][number]

interface FlagsProps {
  /** What makes another list likely. */
  readonly changes: unknown
  /** Of one rater only. */
  readonly rater?: string
}

export function Flags({ changes, rater }: FlagsProps) {
  const { flags } = useTexts()
  const [state, setState] = useState<State>('open')
  const [kind, setKind] = useState<FlagKind>()
  const [offset, setOffset] = useState(0)
  const query = { state, kind, rater, offset, count: perPage }
  const remote = useRemote(() => client.flags(query), ['flags', JSON.stringify(query)], { changes: [changes] })
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await remote.reload()
  })
  const choose = (next: State, of?: FlagKind) => {
    setState(next)
    setKind(of)
    setOffset(0)
  }
  return (
    <section className="stack tight" aria-labelledby="flags">
      <h2 id="flags">{flags.title}</h2>
      <Loaded remote={remote} heights={[120]}>
        {(given) => {
          const open = given.kinds.reduce((sum, { count }) => sum + count, 0)
          return (
            <>
              <p className="soft small">{flags.about}</p>
              <div className="row">
                <Tabs
                  label={flags.which}
                  value={state}
                  options={[
                    { value: 'open', label: flags.open(open) },
                    { value: 'left-out', label: flags.leftOut(given.leftOut) },
                    { value: 'kept', label: flags.kept(given.kept) },
                  ]}
                  choose={(next) => choose(next)}
                />
                {state === 'open' && open > 0 && (
                  <select
                    className="flag-kind"
                    aria-label={flags.kind}
                    value={kind ?? ''}
                    onChange={({ target }) => choose('open', (target.value || undefined) as FlagKind | undefined)}
                  >
                    <option value="">{flags.allKinds}</option>
                    {given.kinds.map(({ name, count }) => (
                      <option key={name} value={name} disabled={count === 0}>
                        {flags.kindAndCount(flags.kinds[name as FlagKind], count)}
                      </option>
                    ))}
                  </select>
                )}
              </div>
              <ErrorNotice error={error} />
              {given.flags.length === 0 ? (
                <p className="notice">{state === 'open' ? flags.nothing : flags.none}</p>
              ) : (
                <ul className="disputes">
                  {given.flags.map((flag) => (
                    <FlagCard key={flag.id} flag={flag} isBusy={isBusy} run={(work) => void run(work)} />
                  ))}
                </ul>
              )}
              <Pager title={flags.more} offset={offset} perPage={perPage} total={given.total} show={setOffset} />
            </>
          )
        }}
      </Loaded>
    </section>
  )
}

interface FlagCardProps {
  readonly flag: Flag
  readonly isBusy: boolean
  readonly run: (work: () => Promise<unknown>) => void
}

function FlagCard({ flag, isBusy, run }: FlagCardProps) {
  const { flags, raters } = useTexts()
  const { kind, rater, prompt, images, answers, canAskAgain, askedAt } = flag
  const judgments = answers.map(({ id }) => id)
  const letters = new Map(images.map(({ id }, place) => [id, letterOf(place)]))
  const decide = (decision: 'left-out' | 'kept' | null) => run(() => client.decideFlags({ judgments, decision }))
  return (
    <li className="card dispute">
      {kind !== null && <span className="badge stopped">{flags.kinds[kind]}</span>}
      <div className="dispute-images">
        {images.map((image) => (
          <figure key={image.id} className="flag-image">
            <Picture image={image} shown={256} alt={raters.image(letters.get(image.id)!)} />
            {images.length > 1 && <figcaption>{letters.get(image.id)}</figcaption>}
          </figure>
        ))}
      </div>
      <p dir="auto" className="dispute-prompt" tabIndex={prompt.length > 100 ? 0 : undefined}>
        {prompt}
      </p>
      <div>
        <strong dir="auto">{rater}</strong>
        <ul className="said">
          {answers.map((answer) => (
            <li key={answer.id}>
              {answerText(answer, (id) => letters.get(id) ?? flags.gone, images.length > 1)}
              <span className="soft small">
                {answer.seconds !== null && ` · ${raters.after(answer.seconds)}`} · {ago(answer.at)}
              </span>
            </li>
          ))}
        </ul>
      </div>
      {kind === null ? (
        <button type="button" className="button small" disabled={isBusy} onClick={() => decide(null)}>
          {answers[0].decision === 'left-out' ? flags.takeIn : flags.lookAgain}
        </button>
      ) : (
        <div className="row">
          {askedAt !== null ? (
            <span className="badge">{flags.askedAgain(ago(askedAt))}</span>
          ) : (
            canAskAgain && (
              <button
                type="button"
                className="button small"
                disabled={isBusy}
                onClick={() => run(() => client.askAgain({ judgments }))}
              >
                {flags.askAgain}
              </button>
            )
          )}
          <button type="button" className="button small" disabled={isBusy} onClick={() => decide('left-out')}>
            {flags.leaveOut}
          </button>
          <button type="button" className="button small quiet" disabled={isBusy} onClick={() => decide('kept')}>
            {flags.keep}
          </button>
        </div>
      )}
    </li>
  )
}

/** A, B … Z, then numbers. */
const letterOf = (place: number) => (place < 26 ? String.fromCharCode(65 + place) : String(place + 1))

/** What somebody said, by the letters under which images are shown: `B is better than A`. */
export function answerText(
  { kind, images, answer, overall, ranks }: FlaggedAnswer,
  letter: (image: string) => string,
  hasSeveral: boolean,
): string {
  const { flags } = texts()
  const words: Readonly<Record<string, string | undefined>> = flags.answers
  // A vote may be on several images of each side.
  const side = kind === 'vote' ? images.length / 2 : 1
  const [first, second] = [0, side].map((from) => images.slice(from, from + side).map(letter).join(' + ')) // prettier-ignore
  const of = hasSeveral ? `${first}: ` : ''
  if (answer === 'skip') return `${of}${flags.skipped}`
  if (kind === 'pair' || kind === 'vote') {
    if (answer === 'first') return flags.better(first, second)
    if (answer === 'second') return flags.better(second, first)
    return answer === 'tie' ? flags.alike(first, second) : flags.bothBad(first, second)
  }
  if (kind === 'rating') return `${of}${flags.ofSeven(String(overall))}`
  if (ranks === null) return `${of}${words[answer] ?? answer}`
  const order = images.toSorted((a, b) => ranks[images.indexOf(a)] - ranks[images.indexOf(b)])
  return flags.order(order.map(letter))
}
