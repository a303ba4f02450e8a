import type { ReactNode } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import type { GoldChange } from '../../../src/studio/schemas/labelling.ts'
import { ZoomPicture } from '../../components/zoom-picture.tsx'
import { reloadPicture, usePicture } from '../../picture-loads.ts'
import { useTexts } from '../../texts/texts.ts'

type Answer = GoldChange['answer']

interface AnsweredCardProps {
  readonly image: ImageRef
  readonly prompt: string
  /** Null: an ordinary image. */
  readonly answer: Answer
  readonly isBusy: boolean
  readonly set: (answer: Answer) => void
  /** Below its answer. */
  readonly children?: ReactNode
}

/** An image, its prompt, and its known answer, which a click states, changes or takes back. */
export function AnsweredCard({ image, prompt, answer, isBusy, set, children }: AnsweredCardProps) {
  const { asking, label } = useTexts()
  const { status } = usePicture(image, 256)
  // Nobody knows the answer to what cannot be seen.
  const isBarred = isBusy || status !== 'shown'
  return (
    <li className="answered-card" data-answer={answer ?? undefined}>
      <ZoomPicture image={image} shown={256} alt={prompt} />
      <p className="answered-prompt" dir="auto" title={prompt}>
        {prompt}
      </p>
      <div className="answered-buttons" role="group" aria-label={asking.gold.answerOf(prompt.slice(0, 120))}>
        {(['good', 'bad'] as const).map((one) => (
          <button
            key={one}
            type="button"
            className={`button small ${one}`}
            aria-pressed={answer === one}
            aria-disabled={isBarred || undefined}
            onClick={() => {
              if (!isBarred && answer !== one) set(one)
            }}
          >
            {label[one]}
          </button>
        ))}
        {answer !== null && (
          <button
            type="button"
            className="button small quiet"
            aria-disabled={isBusy || undefined}
            onClick={({ currentTarget }) => {
              if (isBusy) return
              // The button goes, and the focus must not go with it.
              currentTarget.parentElement?.querySelector('button')?.focus()
              set(null)
            }}
          >
            {asking.gold.remove}
          </button>
        )}
        {status === 'broken' && (
          <button type="button" className="button small quiet" onClick={() => reloadPicture(image, 256)}>
            {label.missing.loadAgain}
          </button>
        )}
      </div>
      {children}
    </li>
  )
}
