/** Labelling: the way of asking, the frame around it, and what is left to do. */
import { useState, type ReactNode } from 'react'
import { taskModes, type ShownGuidelines, type Task, type TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client, useRaterName } from '../../api.ts'
import { Icon } from '../../components/icon.tsx'
import { Empty, ErrorNotice, Skeleton } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { PromptText } from '../../components/prompt-text.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { usePageTitle } from '../../page-title.ts'
import { isOffline, useRemote } from '../../remote.ts'
import { go, to } from '../../router.ts'
import { readStored, writeStored } from '../../stored.ts'
import { useStudio } from '../../studio-state.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/label.css'
import '../../styles/rating.css'
import { duelKeys } from './duel.tsx'
import { ConsentGate, NameGate } from './gates.tsx'
import { beginGoodBad, GoodBad, goodBadKeys, markedInGoodBad } from './good-bad.tsx'
import { Help } from './help.tsx'
import { useKeys, type KeyLines } from './keys.ts'
import { MarkBar, markKeys, PromptWords, useMarking, type MarkedImage } from './mark-bar.tsx'
import { MarkingContext } from './marks.ts'
import { LabelMeter } from './meter.tsx'
import { NoImages } from './no-images.tsx'
import { beginPair, markedInPair, Pairs, pairsNote } from './pairs.tsx'
import { beginRating, markedInRating, RatingAndRanking, ratingKeys } from './ratings.tsx'
import { Reasons } from './reasons.tsx'
import { Refused, SaveState } from './save-state.tsx'
import { useSession } from './session.ts'
import { inWordsOf } from './usual-words.ts'
import type { Session, Turn } from './turn.ts'

const modeKey = 'attune.mode'
const consentKey = 'attune.consent'

export function LabelPage({ mode: named }: { mode?: string }) {
  const texts = useTexts()
  const { state } = useStudio()
  const rater = useRaterName()
  const guidelines = useRemote(() => client.guidelines(), ['guidelines'])
  const asking = useRemote(() => client.asking(), ['asking'])
  const [agreed, setAgreed] = useState(() => readStored(consentKey))
  const mode =
    taskModes.find((one) => one === named) ??
    taskModes.find((one) => one === readStored(modeKey)) ??
    asking.value?.mode ??
    (asking.error === undefined ? undefined : 'good-bad')
  if (state === undefined || mode === undefined) return <Skeleton heights={[60, 320]} />
  const name = state.login ? state.user.name : rater
  if (name === null) return <NameGate />
  const consent = guidelines.value?.consent ?? ''
  if (consent.trim() !== '' && agreed !== consent) {
    return (
      <ConsentGate
        text={consent}
        agree={() => {
          writeStored(consentKey, consent)
          setAgreed(consent)
        }}
      />
    )
  }
  const choose = (value: TaskMode) => {
    writeStored(modeKey, value)
    go('label', value)
  }
  const frame = {
    mode,
    rater: name,
    choose,
    guidelines: guidelines.value && inWordsOf(texts, guidelines.value),
    hasImages: state.counts.images > 0,
  }
  // It asks anew when the first images are there.
  const key = `${mode} ${name} ${frame.hasImages}`
  switch (mode) {
    case 'good-bad':
      return <GoodBadFrame key={key} {...frame} />
    case 'pair':
      return <PairFrame key={key} {...frame} />
    case 'rating':
      return <RatingFrame key={key} {...frame} />
  }
}

interface FrameProps {
  readonly mode: TaskMode
  readonly rater: string
  readonly choose: (mode: TaskMode) => void
  readonly guidelines: ShownGuidelines | undefined
  readonly hasImages: boolean
}

function GoodBadFrame(props: FrameProps) {
  const session = useSession({ ...props, open: props.choose, begin: beginGoodBad })
  const undo = session.canUndo ? session.undo : undefined
  return (
    <Frame
      {...props}
      session={session}
      keys={goodBadKeys}
      marked={markedInGoodBad}
      show={(turn) => <GoodBad key={turn.task.id} turn={turn} undo={undo} />}
    />
  )
}
const PairFrame = (props: FrameProps) => (
  <Frame
    {...props}
    session={useSession({ ...props, open: props.choose, begin: beginPair })}
    keys={(label) => duelKeys(label, true)}
    marked={markedInPair}
    note={(turn) => pairsNote(turn.task, turn.state)}
    show={(turn) => <Pairs key={turn.task.id} turn={turn} />}
  />
)
const RatingFrame = (props: FrameProps) => (
  <Frame
    {...props}
    session={useSession({ ...props, open: props.choose, begin: beginRating })}
    keys={ratingKeys}
    marked={markedInRating}
    show={(turn) => <RatingAndRanking key={turn.task.id} turn={turn} reasons={props.guidelines?.reasons ?? []} />}
  />
)

interface SessionFrameProps<S> extends FrameProps {
  readonly session: Session<S>
  readonly keys: (texts: Texts['label']) => KeyLines
  readonly show: (turn: Turn<S>) => ReactNode
  readonly note?: (turn: Turn<S>) => string
  /** Images on the screen that can be marked. */
  readonly marked: (task: Task, state: S) => readonly MarkedImage[]
}

function Frame<S>({ mode, choose, guidelines, hasImages, session, keys, show, note, marked }: SessionFrameProps<S>) {
  const { label } = useTexts()
  const { state } = useStudio()
  const [isHelpOpen, setHelpOpen] = useState(false)
  usePageTitle(label.title)
  const { turn, isDone, error, progress, given, canUndo, undo } = session
  const images = turn === undefined ? [] : marked(turn.task, turn.state)
  const { isOn, toggle, kind, chooseKind, image, chooseImage } = useMarking(images)
  const marking = { isOn, kind, of: session.marksOf, change: session.mark, begin: toggle }
  useKeys({
    u: undo,
    'ctrl+z': undo,
    '?': () => setHelpOpen(true),
    m: images.length === 0 ? undefined : toggle,
    n: isOn ? () => chooseKind(kind === 'implausible' ? 'misaligned' : 'implausible') : undefined,
  })
  return (
    <div className="labelling">
      <header className="label-head">
        <h1 className="hidden">{label.title}</h1>
        <Tabs
          label={label.wayOfAsking}
          value={mode}
          options={taskModes.map((value) => ({ value, label: label.modes[value] }))}
          choose={choose}
        />
        <div className="label-tools">
          <SaveState />
          <button
            type="button"
            className="button small"
            aria-pressed={isOn}
            disabled={images.length === 0}
            onClick={toggle}
          >
            <Icon name="mark" size={18} /> {label.marks.mark} <kbd>M</kbd>
          </button>
          <button type="button" className="button small" disabled={!canUndo} onClick={undo}>
            <Icon name="undo" size={18} /> {label.undo} <kbd>U</kbd>
          </button>
          <button
            type="button"
            className="button small"
            aria-label={label.guidelinesAndKeys}
            onClick={() => setHelpOpen(true)}
          >
            <Icon name="help" size={18} /> <span className="wide-only">{label.guidelines}</span> <kbd>?</kbd>
          </button>
        </div>
      </header>
      <Refused />
      {progress !== undefined && progress.total > 0 && (
        <div className="label-progress">
          <ProgressBar share={progress.done / progress.total} label={label.answered} />
          <span className="soft small number">
            {label.doneOf(progress.done, progress.total)} · {label.left(progress.total - progress.done)}
            {given > 0 && <span className="wide-only"> · {label.thisTime(given)}</span>}
          </span>
        </div>
      )}
      {turn !== undefined && <LabelMeter />}
      {turn !== undefined ? (
        <MarkingContext value={marking}>
          <div className="label-question">
            <span className="soft small">
              {label.questions[mode]}
              {note !== undefined && note(turn) !== '' && ` · ${note(turn)}`}
              {(turn.task.settles === true || turn.task.again === true) && (
                <>
                  {' '}
                  <span className="badge">{turn.task.again === true ? label.askedAgain : label.oneMoreOpinion}</span>
                </>
              )}
            </span>
            {isOn && image !== undefined ? (
              <PromptWords
                text={turn.task.prompt}
                image={image}
                marks={session.marksOf(image.id)}
                change={(marks) => session.mark(image.id, marks)}
              />
            ) : (
              <PromptText text={turn.task.prompt} />
            )}
          </div>
          {isOn && image !== undefined && (
            <MarkBar {...{ kind, chooseKind, image, images, chooseImage }} marks={session.marksOf(image.id)} />
          )}
          {show(turn)}
        </MarkingContext>
      ) : isDone ? (
        <Done
          mode={mode}
          choose={choose}
          hasImages={hasImages}
          isAdmin={state?.user.role === 'admin'}
          session={session}
        />
      ) : error !== undefined ? (
        isOffline(error) ? (
          <Empty icon="offline" title={label.outOfReach}>
            {label.outOfReachWhy}
          </Empty>
        ) : (
          <ErrorNotice error={error} retry={session.reload} />
        )
      ) : (
        <Skeleton heights={[48, 340]} />
      )}
      {mode !== 'rating' && (turn !== undefined || session.justGiven.length > 0) && (
        <Reasons session={session} current={turn?.task.id} reasons={guidelines?.reasons ?? []} />
      )}
      {isHelpOpen && (
        <Help
          guidelines={guidelines}
          keys={[...keys(label), ...markKeys(label)]}
          canEdit={state?.user.role === 'admin'}
          close={() => setHelpOpen(false)}
        />
      )}
    </div>
  )
}

interface DoneProps {
  readonly mode: TaskMode
  readonly choose: (mode: TaskMode) => void
  readonly hasImages: boolean
  readonly isAdmin: boolean
  readonly session: Pick<Session<never>, 'reload' | 'given' | 'progress'>
}

function Done({ mode, choose, hasImages, isAdmin, session }: DoneProps) {
  const { label } = useTexts()
  if (!hasImages) return <NoImages isAdmin={isAdmin} lookAgain={session.reload} />
  const others = taskModes.filter((one) => one !== mode)
  const { done, total } = session.progress ?? { done: 0, total: 0 }
  const left = total - done
  return (
    <Empty
      icon="label"
      title={session.given > 0 ? label.allDone : label.nothingLeft}
      action={
        <div className="row">
          {isAdmin && (
            <a className="button primary" href={to()}>
              {label.whatComesNext}
            </a>
          )}
          {others.map((one) => (
            <button key={one} type="button" className="button" onClick={() => choose(one)}>
              {label.modes[one]}
            </button>
          ))}
          <button type="button" className="button quiet" onClick={session.reload}>
            {label.lookAgain}
          </button>
        </div>
      }
    >
      {left > 0 ? label.othersHold : label.answeredAll}
    </Empty>
  )
}
