/** Images to choose gold ones and examples from: by their round, by a part of the prompt, a page at a time. */
import { useEffect, useId, useState, type RefObject } from 'react'
import type { AskedImages, GoldChange } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { useRemote } from '../../remote.ts'
import { useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import { AnsweredCard } from './answered-card.tsx'

interface ImagePickerProps {
  /** Of images that are chosen already, by their ids. */
  readonly answers: ReadonlyMap<string, 'good' | 'bad'>
  readonly isBusy: boolean
  readonly set: (image: AskedImages['images'][number], answer: GoldChange['answer']) => void
}

const pageSize = 12
const typingMs = 250

interface AddImagesProps extends ImagePickerProps {
  readonly titles: { readonly add: string; readonly doneAdding: string }
  /** Where the focus goes when a card goes. */
  readonly opener: RefObject<HTMLButtonElement | null>
}

/** A button that opens the picker; nothing before there are images. */
export function AddImages({ titles, opener, ...picker }: AddImagesProps) {
  const { state } = useStudio()
  const [isPicking, setPicking] = useState(false)
  return (
    <>
      {(state?.counts.images ?? 0) > 0 && (
        <div>
          <button
            type="button"
            className="button"
            ref={opener}
            aria-expanded={isPicking}
            onClick={() => setPicking(!isPicking)}
          >
            {isPicking ? titles.doneAdding : titles.add}
          </button>
        </div>
      )}
      {isPicking && <ImagePicker {...picker} />}
    </>
  )
}

function ImagePicker({ answers, isBusy, set }: ImagePickerProps) {
  const { asking, frame } = useTexts()
  const { picker } = asking
  const { state } = useStudio()
  const id = useId()
  const [round, setRound] = useState('')
  const [typed, setTyped] = useState('')
  const [prompt, setPrompt] = useState('')
  const [offset, setOffset] = useState(0)
  // A question for each word, not for each letter.
  useEffect(() => {
    const timer = setTimeout(() => {
      setPrompt(typed.trim())
      setOffset(0)
    }, typingMs)
    return () => clearTimeout(timer)
  }, [typed])
  const found = useRemote(
    () => client.images({ round: round || undefined, prompt: prompt || undefined, offset, count: pageSize }),
    ['images', round, prompt, offset],
  )
  return (
    <div className="stack image-picker" role="group" aria-label={picker.title}>
      <div className="fields">
        <div className="field">
          <label htmlFor={`${id}-prompt`}>{picker.search}</label>
          <input
            id={`${id}-prompt`}
            type="text"
            maxLength={200}
            value={typed}
            dir="auto"
            autoComplete="off"
            onChange={({ target }) => setTyped(target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-round`}>{picker.round}</label>
          <select
            id={`${id}-round`}
            value={round}
            onChange={({ target }) => {
              setRound(target.value)
              setOffset(0)
            }}
          >
            <option value="">{picker.allRounds}</option>
            {state?.rounds.toReversed().map(({ name, images }) => (
              <option key={name} value={name}>
                {picker.roundOf(name, images)}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Loaded remote={found} heights={[360]}>
        {({ images, total }) =>
          total === 0 ? (
            <p className="notice" role="status">
              {picker.noPrompt(round === '' ? null : round, prompt)}
            </p>
          ) : (
            <>
              <ul className="answered-cards" aria-label={picker.images}>
                {images.map((one) => (
                  <AnsweredCard
                    key={one.image.id}
                    {...one}
                    answer={answers.get(one.image.id) ?? null}
                    isBusy={isBusy}
                    set={(answer) => set(one, answer)}
                  />
                ))}
              </ul>
              <div className="row">
                <button
                  type="button"
                  className="button small"
                  disabled={offset === 0}
                  onClick={() => setOffset(Math.max(0, offset - pageSize))}
                >
                  {frame.earlier}
                </button>
                <button
                  type="button"
                  className="button small"
                  disabled={offset + images.length >= total}
                  onClick={() => setOffset(offset + pageSize)}
                >
                  {picker.later}
                </button>
                <span className="soft small number" role="status">
                  {frame.shownOf(offset + 1, offset + images.length, total)}
                </span>
              </div>
            </>
          )
        }
      </Loaded>
    </div>
  )
}
