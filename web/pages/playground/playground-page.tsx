/** A prompt, drawn by policies beside each other from the same noise. Nothing is kept unless it is asked for. */
import { useEffect, useRef, useState } from 'react'
import {
  freshSeeds,
  mostImagesDrawn,
  type DrawRequest,
  type PlaygroundState,
} from '../../../src/studio/schemas/playground.ts'
import { client } from '../../api.ts'
import { Empty, ErrorNotice, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { deviceTitles, duration, plural } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { to, useSearch } from '../../router.ts'
import '../../styles/playground.css'
import { PoliciesField, type ChosenPolicy } from './policies-field.tsx'
import { Results } from './results.tsx'
import { useDrawing, type Drawing } from './use-drawing.ts'

const everyMs = 4000

export function PlaygroundPage() {
  const remote = useRemote(() => client.playground(), ['playground'], { everyMs })
  return (
    <>
      <PageHead title="Playground">
        Draw a prompt by several policies from the same noise. Nothing is kept unless you say so.
      </PageHead>
      <Loaded remote={remote} heights={[320, 320]}>
        {(known) => <Playground known={known} reload={() => void remote.reload()} />}
      </Loaded>
    </>
  )
}

/** Redrawn by itself when a strength is changed, where that takes no longer; the embedded model never does. */
const quickMs = 4000
const settleMs = 250
const freshSeed = () => freshSeeds.least + Math.floor(Math.random() * (freshSeeds.most - freshSeeds.least))
const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text))

function Playground({ known, reload }: { known: PlaygroundState; reload: () => void }) {
  const search = useSearch()
  const [prompt, setPrompt] = useState(search.get('prompt') ?? known.example ?? '')
  const [negative, setNegative] = useState('')
  const [policies, setPolicies] = useState<readonly ChosenPolicy[]>(() => firstPolicies(known, search.get('policy')))
  const [seed, setSeed] = useState(() => search.get('seed') ?? String(freshSeed()))
  const [images, setImages] = useState('3')
  const [steps, setSteps] = useState('')
  const [guidance, setGuidance] = useState('')
  const { drawing, isBusy, draw, stop, kept } = useDrawing()
  const box = useRef<HTMLTextAreaElement>(null)

  const request = (from: string): DrawRequest => ({
    prompt,
    ...(negative.trim() !== '' && { negative }),
    policies: policies.map((one) => ({ ...one })),
    seed: Number(from),
    images: Number(images),
    steps: numberOf(steps),
    guidance: numberOf(guidance),
  })
  const begin = (from: string) => {
    void draw(request(from)).then(reload)
  }
  const newNoise = () => {
    const fresh = String(freshSeed())
    setSeed(fresh)
    begin(fresh)
  }
  const strengths = policies.map(({ strength }) => strength).join()
  const drawn = drawing?.request.policies
  const isSame = drawn?.length === policies.length && drawn.every(({ policy }, i) => policy === policies[i].policy)
  const isMoved = isSame && drawn.map(({ strength = 1 }) => strength).join() !== strengths
  useEffect(() => {
    const isQuick = known.words !== null || (drawing?.durationMs ?? Infinity) <= quickMs
    if (!isMoved || drawing === undefined || !isQuick) return
    const timer = setTimeout(() => begin(String(drawing.request.seed)), settleMs)
    return () => clearTimeout(timer)
  }, [strengths, isMoved])

  const add = (word: string) => {
    setPrompt((now) => (now.trim() === '' ? word : `${now.trimEnd()} ${word}`))
    box.current?.focus()
  }
  return (
    <div className="playground">
      <form
        className="card stack play-form"
        onSubmit={(event) => {
          event.preventDefault()
          begin(seed)
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
          event.preventDefault()
          event.currentTarget.requestSubmit()
        }}
      >
        <div className="field">
          <label htmlFor="play-prompt">Prompt</label>
          <textarea
            ref={box}
            id="play-prompt"
            rows={2}
            required
            dir="auto"
            value={prompt}
            onChange={({ target }) => setPrompt(target.value)}
          />
          {known.words !== null && <Words words={known.words} add={add} clear={() => setPrompt('')} />}
        </div>
        <PoliciesField known={known.policies} chosen={policies} change={setPolicies} />
        <div className="play-numbers">
          <NumberField
            label="Images of each"
            value={images}
            change={setImages}
            min={1}
            max={mostImagesDrawn}
            isNeeded
          />
          <NumberField label="Seed" value={seed} change={setSeed} min={0} max={4_294_967_295} isNeeded />
          <NumberField label="Steps" value={steps} change={setSteps} min={1} max={1000} />
          <NumberField label="Guidance" value={guidance} change={setGuidance} min={0} max={100} step="any" />
        </div>
        {known.hasNegative && (
          <div className="field">
            <label htmlFor="play-negative">Not to show</label>
            <input
              id="play-negative"
              type="text"
              dir="auto"
              value={negative}
              onChange={({ target }) => setNegative(target.value)}
            />
          </div>
        )}
        {known.lack !== null && (
          <div className="notice warn" role="status">
            {known.lack}
          </div>
        )}
        <div className="row">
          <button type="submit" className="button primary" title="Ctrl+Enter" disabled={isBusy || known.lack !== null}>
            {drawing === undefined ? 'Draw' : 'Again'}
          </button>
          <button
            type="button"
            className="button"
            disabled={isBusy || known.lack !== null}
            onClick={({ currentTarget }) => {
              if (currentTarget.form?.reportValidity() === true) newNoise()
            }}
          >
            New noise
          </button>
          {isBusy && (
            <button type="button" className="button" onClick={stop}>
              Stop
            </button>
          )}
        </div>
        <Resident known={known} reload={reload} />
      </form>
      <section className="stack" aria-label="Drawn">
        {drawing === undefined ? (
          <Empty icon="policy" title="Nothing is drawn yet">
            Each row of images begins with the same noise, so that only the policies differ.
          </Empty>
        ) : (
          <>
            <Progress drawing={drawing} />
            <ErrorNotice error={drawing.error} />
            {(drawing.images.size > 0 || drawing.stage !== 'stopped') && <Results drawing={drawing} kept={kept} />}
            {[...drawing.images.values()].some((one) => one.kept === 'kept') && (
              <p className="soft small">
                What is kept is asked about on the page <a href={to('label')}>Label</a>, and stands in the{' '}
                <a href={`${to('gallery')}?round=playground`}>gallery</a>.
              </p>
            )}
          </>
        )}
      </section>
    </div>
  )
}

function firstPolicies({ policies }: PlaygroundState, wanted: string | null): ChosenPolicy[] {
  const newest = policies.find(({ kind }) => kind === 'run')?.policy
  const second = policies.find(({ policy }) => policy === wanted)?.policy ?? newest
  return ['pretrained', ...(second === undefined || second === 'pretrained' ? [] : [second])].map((policy) => ({ policy, strength: 1 })) // prettier-ignore
}

function Words({
  words,
  add,
  clear,
}: {
  words: NonNullable<PlaygroundState['words']>
  add: (word: string) => void
  clear: () => void
}) {
  return (
    <details>
      <summary>Words that the model knows</summary>
      <div className="stack tight">
        {words.map(({ title, words: of }) => (
          <div key={title} className="play-words" role="group" aria-label={title}>
            {of.map((word) => (
              <button key={word} type="button" className="chip" onClick={() => add(word)}>
                {word}
              </button>
            ))}
          </div>
        ))}
        <button type="button" className="button small" onClick={clear}>
          Empty the prompt
        </button>
      </div>
    </details>
  )
}

interface NumberFieldProps {
  readonly label: string
  readonly value: string
  readonly change: (value: string) => void
  readonly min: number
  readonly max: number
  readonly step?: 'any'
  readonly isNeeded?: boolean
}

const NumberField = ({ label, value, change, min, max, step, isNeeded = false }: NumberFieldProps) => (
  <label className="field">
    <span className="label">{label}</span>
    <input
      type="number"
      min={min}
      max={max}
      step={step}
      required={isNeeded}
      placeholder={isNeeded ? undefined : 'automatic'}
      value={value}
      onChange={({ target }) => change(target.value)}
    />
  </label>
)

function Progress({ drawing: { stage, ahead, share, durationMs, sampling, request } }: { drawing: Drawing }) {
  const told = {
    waiting: ahead > 0 ? `${plural(ahead, 'drawing')} before this one` : 'Waiting for the model',
    loading: 'The model is being loaded',
    drawing: 'Drawing',
    stopped: 'Stopped',
    done: `Drawn in ${durationMs === undefined || durationMs < 9950 ? `${((durationMs ?? 0) / 1000).toFixed(1)} s` : duration(durationMs / 1000)}, seed ${request.seed}${sampling === undefined ? '' : `, ${plural(sampling.steps, 'step')}, guidance ${sampling.guidance}`}`,
  }[stage]
  return (
    <div className="play-progress">
      <span className="soft small" role="status">
        {told}
      </span>
      {(stage === 'drawing' || stage === 'loading') && (
        <ProgressBar {...(stage === 'drawing' && { share })} label="Progress of the drawing" />
      )}
    </div>
  )
}

/** Where it draws, who computes there too, and the memory that the model takes. */
function Resident({
  known: { process, device, beside, idleMinutes },
  reload,
}: {
  known: PlaygroundState
  reload: () => void
}) {
  const end = useAction(async () => {
    await client.endPlayground()
    reload()
  })
  const where = deviceTitles([device])
  return (
    <div className="soft small stack tight" aria-live="off">
      <span>
        Draws on {where === 'CPU' ? 'the CPU' : where}
        {beside.length > 0 &&
          `, where ${beside.join(' and ')} ${beside.length === 1 ? 'runs' : 'run'} too: slower for now`}
        .{' '}
        {process === 'none'
          ? 'The model is loaded with the first drawing.'
          : `The model stays in memory for ${plural(idleMinutes, 'minute')} after the last drawing. A job that needs a GPU goes first.`}
      </span>
      {process === 'ready' && (
        <span>
          <button type="button" className="button small" disabled={end.isBusy} onClick={() => void end.run()}>
            Free its memory
          </button>
        </span>
      )}
      <ErrorNotice error={end.error} />
    </div>
  )
}
