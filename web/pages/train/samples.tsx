import { useState } from 'react'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { useRemote } from '../../remote.ts'
import { isOpen } from '../../studio-state.tsx'

const few = 16

/** Pictures of the same prompts and noise through the training. */
export function SampleSlider({ job }: { job: Job }) {
  const { value } = useRemote(() => client.samples(job.id), ['samples', job.id], {
    everyMs: isOpen(job) ? 2000 : 0,
    changes: [job.state],
  })
  const [chosen, setChosen] = useState<number>()
  const [isWhole, setWhole] = useState(false)
  const steps = value?.steps ?? []
  if (steps.length === 0) {
    return isOpen(job) ? <p className="notice">Sample images appear here as the training goes on.</p> : null
  }
  // Nothing chosen: the newest, and it follows the training.
  const place = Math.min(chosen ?? steps.length - 1, steps.length - 1)
  const { step, images } = steps[place]
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>Samples</h2>
        <span className="soft small number">
          step {step} · {place + 1} of {steps.length}
        </span>
      </div>
      {steps.length > 1 && (
        <input
          type="range"
          className="slider"
          min={0}
          max={steps.length - 1}
          value={place}
          aria-label="Step of the training"
          aria-valuetext={`step ${step}`}
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
            Show {images.length - few} more samples
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
