/** The example images of the guidelines: chosen like gold ones, with a sentence each. */
import { useId, useRef } from 'react'
import { useTexts } from '../../texts/texts.ts'
import { AnsweredCard } from './answered-card.tsx'
import { AddImages } from './image-picker.tsx'
import type { Written } from './guidelines-draft.ts'

type Examples = Written['examples']

interface ExampleCardsProps {
  readonly examples: Examples
  /** How many of those that are saved have no image any more. */
  readonly deleted: number
  readonly change: (examples: Examples) => void
}

const most = 12

export function ExampleCards({ examples, deleted, change }: ExampleCardsProps) {
  const { examples: texts } = useTexts()
  const id = useId()
  const adding = useRef<HTMLButtonElement>(null)
  const isFull = examples.length >= most
  const set = (given: Pick<Examples[number], 'picture' | 'prompt'>, answer: 'good' | 'bad' | null) => {
    const place = examples.findIndex(({ picture }) => picture.id === given.picture.id)
    if (answer === null) change(examples.toSpliced(place, 1))
    else if (place >= 0) change(examples.with(place, { ...examples[place], answer }))
    else if (!isFull) change([...examples, { ...given, answer, note: '' }])
  }
  return (
    <fieldset className="field" aria-describedby={`${id}-hint`}>
      <legend>{texts.choose}</legend>
      {examples.length === 0 ? (
        <p className="soft small">{texts.none}</p>
      ) : (
        <ul className="answered-cards" aria-label={texts.choose}>
          {examples.map((example, place) => (
            <AnsweredCard
              key={example.picture.id}
              image={example.picture}
              prompt={example.prompt}
              answer={example.answer}
              isBusy={false}
              set={(answer) => {
                // The card goes with its answer.
                if (answer === null) adding.current?.focus()
                set(example, answer)
              }}
            >
              <textarea
                rows={3}
                aria-label={texts.note(example.prompt)}
                placeholder={texts.notePlaceholder}
                maxLength={300}
                value={example.note}
                dir="auto"
                onChange={({ target }) => change(examples.with(place, { ...example, note: target.value }))}
              />
            </AnsweredCard>
          ))}
        </ul>
      )}
      {deleted > 0 && (
        <p className="notice warn" role="status">
          {texts.deleted(deleted)}
        </p>
      )}
      <span className="hint" id={`${id}-hint`}>
        {texts.hint} {isFull && texts.full(most)}
      </span>
      <AddImages
        titles={texts}
        opener={adding}
        answers={new Map(examples.map(({ picture, answer }) => [picture.id, answer]))}
        isBusy={false}
        set={({ image, prompt }, answer) => set({ picture: image, prompt }, answer)}
      />
    </fieldset>
  )
}
