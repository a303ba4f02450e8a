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
import { deviceTitles, duration } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { to, useSearch } from '../../router.ts'
import { texts, useTexts } from '../../texts/texts.ts'
import '../../styles/playground.css'
import { PoliciesField, type ChosenPolicy } from './policies-field.tsx'
import { Results } from './results.tsx'
import { useDrawing, type Drawing } from './use-drawing.ts'

const everyMs = 4000

export function PlaygroundPage() {
  const { frame, playground: texts } = useTexts()
  const remote = useRemote(() => client.playground(), ['playground'], { everyMs })
  return (
    <>
      <PageHead title={frame.places.playground}>{texts.about}</PageHead>
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
  const { frame, playground: texts } = useTexts()
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
          <label htmlFor="play-prompt">{texts.prompt}</label>
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
            label={texts.imagesOfEach}
            value={images}
            change={setImages}
            min={1}
            max={mostImagesDrawn}
            isNeeded
          />
          <NumberField label={texts.seed} value={seed} change={setSeed} min={0} max={4_294_967_295} isNeeded />
          <NumberField label={texts.steps} value={steps} change={setSteps} min={1} max={1000} />
          <NumberField label={texts.guidance} value={guidance} change={setGuidance} min={0} max={100} step="any" />
        </div>
        {known.hasNegative && (
          <div className="field">
            <label htmlFor="play-negative">{texts.negative}</label>
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
            {texts.jobsFirst(known.lack)}
          </div>
        )}
        <div className="row">
          <button
            type="submit"
            className="button primary"
            title={texts.drawKey}
            disabled={isBusy || known.lack !== null}
          >
            {drawing === undefined ? texts.draw : texts.again}
          </button>
          <button
            type="button"
            className="button"
            disabled={isBusy || known.lack !== null}
            onClick={({ currentTarget }) => {
              if (currentTarget.form?.reportValidity() === true) newNoise()
            }}
          >
            {texts.newNoise}
          </button>
          {isBusy && (
            <button type="button" className="button" onClick={stop}>
              {texts.stop}
            </button>
          )}
        </div>
        <Resident known={known} reload={reload} />
      </form>
      <section className="stack" aria-label={texts.drawn}>
        {drawing === undefined ? (
          <Empty icon="policy" title={texts.nothing}>
            {texts.sameNoise}
          </Empty>
        ) : (
          <>
            <Progress drawing={drawing} />
            <ErrorNotice error={drawing.error} />
            {(drawing.images.size > 0 || drawing.stage !== 'stopped') && <Results drawing={drawing} kept={kept} />}
            {[...drawing.images.values()].some((one) => one.kept === 'kept') && (
              <p className="soft small">
                {texts.keptInLabel} <a href={to('label')}>{frame.places.label}</a>, {texts.keptInGallery}{' '}
                <a href={`${to('gallery')}?round=playground`}>{texts.gallery}</a>.
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
  const { playground: texts } = useTexts()
  return (
    <details>
      <summary>{texts.knownWords}</summary>
      <div className="stack tight">
        {words.map(({ of: group, words: of }) => (
          <div key={group} className="play-words" role="group" aria-label={texts.words[group]}>
            {of.map((word) => (
              <button key={word} type="button" className="chip" onClick={() => add(word)}>
                {word}
              </button>
            ))}
          </div>
        ))}
        <button type="button" className="button small" onClick={clear}>
          {texts.emptyPrompt}
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
      placeholder={isNeeded ? undefined : texts().settings.automatic}
      value={value}
      onChange={({ target }) => change(target.value)}
    />
  </label>
)

function Progress({ drawing: { stage, ahead, share, durationMs, sampling, request } }: { drawing: Drawing }) {
  const { playground: texts } = useTexts()
  const seconds = (durationMs ?? 0) / 1000
  const time = seconds < 9.95 ? texts.seconds(seconds) : duration(seconds)
  const how = sampling === undefined ? '' : `, ${texts.sampling(sampling.steps, sampling.guidance)}`
  const told = {
    waiting: ahead > 0 ? texts.waitsFor(ahead) : texts.waiting,
    loading: texts.loading,
    drawing: texts.drawing,
    stopped: texts.stopped,
    done: `${texts.done(time, request.seed)}${how}`,
  }[stage]
  return (
    <div className="play-progress">
      <span className="soft small" role="status">
        {told}
      </span>
      {(stage === 'drawing' || stage === 'loading') && (
        <ProgressBar {...(stage === 'drawing' && { share })} label={texts.progress} />
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
  const { playground: texts } = useTexts()
  const end = useAction(async () => {
    await client.endPlayground()
    reload()
  })
  const where = deviceTitles([device])
  return (
    <div className="soft small stack tight" aria-live="off">
      <span>
        {texts.drawsOn(where === 'CPU' ? null : where, beside)}{' '}
        {process === 'none' ? texts.loadedFirst : texts.staysLoaded(idleMinutes)}
      </span>
      {process === 'ready' && (
        <span>
          <button type="button" className="button small" disabled={end.isBusy} onClick={() => void end.run()}>
            {texts.freeMemory}
          </button>
        </span>
      )}
      <ErrorNotice error={end.error} />
    </div>
  )
}
