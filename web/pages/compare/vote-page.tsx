/** Blind votes between two policies: single pairs, or sets of images (Lee et al. 2023). */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { VoteTask, VoteTasks } from '../../../src/studio/schemas/comparing.ts'
import { client, useRaterName } from '../../api.ts'
import { Icon } from '../../components/icon.tsx'
import { Empty, ErrorNotice, Skeleton } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { PromptText } from '../../components/prompt-text.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { timeNow } from '../../clock.ts'
import { newId } from '../../new-id.ts'
import { outbox, postVote, useOutbox, type NewVote } from '../../outbox.ts'
import { pastOf, type Given } from '../../past.ts'
import { usePageTitle } from '../../page-title.ts'
import { isOffline, useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/label.css'
import { useBuffer } from '../label/buffer.ts'
import { Duel, duelKeys, type DuelAnswer } from '../label/duel.tsx'
import { NameGate } from '../label/gates.tsx'
import { Help } from '../label/help.tsx'
import { useKeys } from '../label/keys.ts'
import { Refused, SaveState } from '../label/save-state.tsx'
import { useStopwatch } from '../label/stopwatch.ts'
import { placeOf, withServersVotes, type Form, type Question } from './own-votes.ts'

/** A vote of another form or question that was taken back: it is asked there. */
let returned: Given | undefined

export function VotePage({ id }: { id: string }) {
  const { vote } = useTexts()
  usePageTitle(vote.title)
  const { state } = useStudio()
  const named = useRaterName()
  const [form, setForm] = useState<Form>('single')
  const [question, setQuestion] = useState<Question>('alignment')
  if (state === undefined) return <Skeleton heights={[60, 320]} />
  const rater = state.login ? state.user.name : named
  if (rater === null) return <NameGate />
  const open = (place: string) => {
    const [nextForm, nextQuestion] = place.split(' ') as [Form, Question]
    setForm(nextForm)
    setQuestion(nextQuestion)
  }
  return (
    <div className="labelling">
      <header className="label-head">
        <div className="row">
          <Tabs
            label={vote.whatIsCompared}
            value={form}
            options={[
              { value: 'single', label: vote.forms.single },
              { value: 'set', label: vote.forms.set },
            ]}
            choose={setForm}
          />
          <Tabs
            label={vote.question}
            value={question}
            options={[
              { value: 'alignment', label: vote.properties.alignment },
              { value: 'fidelity', label: vote.properties.fidelity },
            ]}
            choose={setQuestion}
          />
        </div>
      </header>
      <Votes key={`${placeOf(form, question)} ${rater}`} {...{ id, rater, form, question, open }} />
    </div>
  )
}

/** How far all raters are is asked for after so many votes. */
const votesPerLook = 4

/** Says nothing of who is ahead. */
function Standing({ standing: { wanted } }: Pick<VoteTasks, 'standing'>) {
  const { vote: texts } = useTexts()
  if (wanted === null) return <p className="small decided">{texts.decided}</p>
  const { about, least } = wanted
  return <p className="soft small">{about === null ? texts.wantedAtLeast(least) : texts.wanted(about)}</p>
}

interface VotesProps {
  readonly id: string
  readonly rater: string
  readonly form: Form
  readonly question: Question
  /** Shows another form or question. */
  readonly open: (place: string) => void
}

function Votes({ id, rater, form, question, open }: VotesProps) {
  const { label, vote: texts } = useTexts()
  const { state } = useStudio()
  const place = placeOf(form, question)
  const past = pastOf(`votes.${id}.${rater}`)
  const list = useSyncExternalStore(
    useMemo(() => (listener: () => void) => past.subscribe(listener), [past]),
    () => past.all(),
  )
  const [first] = useState(() => (returned?.place === place ? (returned.task as VoteTask) : undefined))
  useEffect(() => {
    returned = undefined
    void withServersVotes(past, id)
  }, [past, id])
  const buffer = useBuffer<VoteTask>(
    {
      ask: (without, count): Promise<VoteTasks> =>
        client.voteTasks(id, { form, question, count, without: without.join(',') }),
      imagesOf: ({ first, second }) => [...first, ...second],
      keysOf: (task) => [task.id],
      underWay: () => outbox.votesUnderWay(),
      send: () => outbox.send(),
    },
    first,
  )
  const [isHelpOpen, setHelpOpen] = useState(false)
  const watch = useStopwatch()
  const { current: task, progress } = buffer
  const live = useRef(task)
  useEffect(() => {
    live.current = task
    watch.restart()
  }, [task, watch])

  const answer = (value: DuelAnswer) => {
    const asked = live.current
    if (asked === undefined || value === 'both-bad') return
    const vote: NewVote = {
      id: newId(),
      task: asked.id,
      answer: value,
      at: timeNow(),
      durationMs: watch.read(),
    }
    live.current = undefined
    past.add({ place, task: asked, state: null, answer: vote, counts: 1, group: vote.id })
    postVote(vote)
    buffer.count(1)
    buffer.next()
  }
  const undo = () => {
    const last = past.take()
    if (last === undefined) return
    const vote = last.answer as NewVote
    postVote({ ...vote, id: newId(), at: timeNow(), undoes: vote.id })
    if (last.place !== place) {
      returned = last
      return open(last.place)
    }
    buffer.count(-1)
    buffer.putBack(last.task as VoteTask)
  }
  useKeys({ u: undo, 'ctrl+z': undo, '?': () => setHelpOpen(true) })
  const isAdmin = state?.user.role === 'admin'
  const { waiting } = useOutbox()
  const told = useRemote(() => client.voteTasks(id, { form, question, count: 1 }), ['standing', id, place], {
    changes: [Math.floor((progress?.done ?? 0) / votesPerLook), buffer.isDone && waiting === 0],
  }).value
  if (told?.opened === true) {
    return (
      <>
        <Refused />
        <Empty
          icon="compare"
          title={texts.opened}
          action={
            <a className="button primary" href={to('compare', id)}>
              {texts.seeResult}
            </a>
          }
        >
          {texts.openedWhy}
        </Empty>
      </>
    )
  }
  return (
    <>
      <Refused />
      <div className="label-progress">
        <ProgressBar
          share={progress === undefined || progress.total === 0 ? 0 : progress.done / progress.total}
          label={texts.voted}
        />
        <div className="label-tools">
          <span className="soft small number">
            {progress !== undefined && label.doneOf(progress.done, progress.total)}
          </span>
          <SaveState />
          <button type="button" className="button small" disabled={list.length === 0} onClick={undo}>
            <Icon name="undo" size={18} /> {label.undo} <kbd>U</kbd>
          </button>
          <button
            type="button"
            className="button small"
            aria-label={label.guidelinesAndKeys}
            onClick={() => setHelpOpen(true)}
          >
            <Icon name="help" size={18} /> <kbd>?</kbd>
          </button>
        </div>
      </div>
      {told !== undefined && told.progress.total > 0 && <Standing standing={told.standing} />}
      {task !== undefined ? (
        <>
          <div className="label-question">
            <h1 className="soft small question">{texts.questions[question]}</h1>
            <PromptText text={task.prompt} />
          </div>
          <Duel first={task.first} second={task.second} withBothBad={false} answer={answer} />
        </>
      ) : buffer.isDone ? (
        <Empty
          icon="compare"
          title={progress?.total === 0 ? texts.nothing : texts.allCast}
          action={
            <div className="row">
              {isAdmin && (
                <a className="button primary" href={to('compare', id)}>
                  {texts.seeResult}
                </a>
              )}
              <button type="button" className="button" onClick={buffer.reload}>
                {label.lookAgain}
              </button>
            </div>
          }
        >
          {progress?.total === 0 ? texts.nothingWhy : texts.otherForm}
        </Empty>
      ) : buffer.error !== undefined && !isOffline(buffer.error) ? (
        <>
          <PageHead title={texts.title} />
          <ErrorNotice error={buffer.error} retry={buffer.reload} />
        </>
      ) : (
        <Skeleton heights={[48, 340]} />
      )}
      {isHelpOpen && (
        <Help
          guidelines={{ text: texts.how, examples: [] }}
          keys={duelKeys(label, false)}
          canEdit={false}
          close={() => setHelpOpen(false)}
        />
      )}
    </>
  )
}
