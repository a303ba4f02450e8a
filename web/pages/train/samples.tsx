import { useState } from 'react'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { useRemote } from '../../remote.ts'
import { isOpen } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

const few = 16

/** Pictures of the same prompts and noise through the training. */
export function SampleSlider({ job }: { job: Job }) {
  const texts = useTexts().job.samples
  const { value } = useRemote(() => client.samples(job.id), ['samples', job.id], {
    everyMs: isOpen(job) ? 2000 : 0,
    changes: [job.state],
  })
  const [chosen, setChosen] = useState<number>()
  const [isWhole, setWhole] = useState(false)
  const steps = value?.steps ?? []
  if (steps.length === 0) {
    return isOpen(job) ? <p className="notice">{texts.soon}</p> : null
  }
  // Nothing chosen: the newest, and it follows the training.
  const place = Math.min(chosen ?? steps.length - 1, steps.length - 1)
  const { step, images } = steps[place]
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>{texts.title}</h2>
        <span className="soft small number">{texts.stepOf(step, place + 1, steps.length)}</span>
      </div>
      {steps.length > 1 && (
        <input
          type="range"
          className="slider"
          min={0}
          max={steps.length - 1}
          value={place}
          aria-label={texts.stepOfTraining}
          aria-valuetext={texts.step(step)}
          onChange={({ target }) => {
            const next = Number(target.value)
            setChosen(next === steps.length - 1 ? undefined : next)
          }}
        />
      )}
      <ul className="samples">
        {(isWhole ? images : images.slice(0, few)).map(({ index, prompt }) => (
          <li key={index}>
            <SampleImage url={client.sampleUrl(job.id, step, index)} prompt={prompt} />
          </li>
        ))}
      </ul>
      {!isWhole && images.length > few && (
        <div>
          <button type="button" className="button small" onClick={() => setWhole(true)}>
            {texts.more(images.length - few)}
          </button>
        </div>
      )}
    </section>
  )
}

function SampleImage({ url, prompt }: { url: string; prompt: string }) {
  const [isSmall, setSmall] = useState(true)
  return (
    <figure>
      <img
        className={isSmall ? 'picture pixelated' : 'picture'}
        src={url}
        alt=""
        onLoad={({ currentTarget }) => setSmall(currentTarget.naturalWidth <= 96)}
      />
      <figcaption className="soft small" dir="auto">
        {prompt}
      </figcaption>
    </figure>
  )
}
