/** Chosen images one after the other, each good, bad or skipped; who drew them is not told. */
import { useRef, useState } from 'react'
import type { GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import type { NewJudgment } from '../../../src/studio/schemas/labelling.ts'
import { timeNow } from '../../clock.ts'
import { Lightbox } from '../../components/lightbox.tsx'
import { newId } from '../../new-id.ts'
import { postJudgment } from '../../outbox.ts'
import { useTexts } from '../../texts/texts.ts'
import { SaveState } from '../label/save-state.tsx'

interface JudgeSelectedProps {
  readonly images: readonly GalleryImage[]
  /** An answer has come, or was taken back. */
  readonly judged: (id: string, answer: 'good' | 'bad', by: 1 | -1) => void
  readonly close: () => void
}

type Answer = 'good' | 'bad' | 'skip'
type Given = Extract<NewJudgment, { kind: 'good-bad-skip' }>

export function JudgeSelected({ images, judged, close }: JudgeSelectedProps) {
  const { gallery, label } = useTexts()
  // The list changes while answers come in; what was chosen is judged.
  const [list] = useState(() => images.filter(({ image }) => image !== null))
  const [given, setGiven] = useState<readonly Given[]>([])
  const since = useRef(performance.now())
  const current = list.at(given.length)
  const answer = (value: Answer) => () => {
    if (current === undefined) return
    const durationMs = Math.round(performance.now() - since.current)
    const judgment: Given = {
      id: newId(),
      kind: 'good-bad-skip',
      images: [current.id],
      answer: value,
      at: timeNow(),
      durationMs,
    }
    postJudgment(judgment)
    if (value !== 'skip') judged(current.id, value, 1)
    since.current = performance.now()
    setGiven([...given, judgment])
  }
  const undo = () => {
    const last = given.at(-1)
    if (last === undefined) return
    postJudgment({ ...last, id: newId(), at: timeNow(), undoes: last.id })
    if (last.answer !== 'skip') judged(last.images[0], last.answer, -1)
    since.current = performance.now()
    setGiven(given.slice(0, -1))
  }
  return (
    <Lightbox
      title={
        current === undefined
          ? gallery.allJudged(list.length)
          : gallery.placeOf(given.length + 1, list.length, current.prompt)
      }
      images={!current?.image ? [] : [{ image: current.image, alt: current.prompt }]}
      close={close}
      keys={{ g: answer('good'), b: answer('bad'), s: answer('skip'), u: undo }}
      foot={
        <>
          {current !== undefined && (
            <>
              <button type="button" className="button" onClick={answer('good')}>
                {label.good} <kbd>G</kbd>
              </button>
              <button type="button" className="button" onClick={answer('bad')}>
                {label.bad} <kbd>B</kbd>
              </button>
              <button type="button" className="button" onClick={answer('skip')}>
                {label.skip} <kbd>S</kbd>
              </button>
            </>
          )}
          <button type="button" className="button quiet" disabled={given.length === 0} onClick={undo}>
            {label.undo} <kbd>U</kbd>
          </button>
          {current === undefined && (
            <button type="button" className="button primary" onClick={close}>
              {label.done}
            </button>
          )}
          <SaveState />
        </>
      }
    />
  )
}
