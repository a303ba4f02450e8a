import type { ShownGuidelines } from '../../../src/studio/schemas/labelling.ts'
import { ZoomPicture } from '../../components/zoom-picture.tsx'
import { useTexts } from '../../texts/texts.ts'

/** Images that show what the guidelines mean: their prompts, what they are, and why. */
export function Examples({ examples }: Pick<ShownGuidelines, 'examples'>) {
  const { examples: texts } = useTexts()
  const deleted = examples.filter(({ picture }) => picture === null).length
  if (examples.length === 0) return null
  return (
    <section aria-labelledby="examples-title" className="stack">
      <h3 id="examples-title">{texts.title}</h3>
      <ul className="examples">
        {examples.map(
          ({ picture, prompt, answer, note }) =>
            picture !== null && (
              <li key={picture.id} className="example" data-answer={answer}>
                <ZoomPicture
                  image={picture}
                  shown={256}
                  alt={`${texts.answers[answer]}: ${prompt}`}
                  hasComments={false}
                />
                <div className="example-words">
                  <strong>{texts.answers[answer]}</strong>
                  <p dir="auto">{prompt}</p>
                  {note !== '' && (
                    <p className="soft small" dir="auto">
                      {note}
                    </p>
                  )}
                </div>
              </li>
            ),
        )}
      </ul>
      {deleted > 0 && <p className="soft small">{texts.deleted(deleted)}</p>}
    </section>
  )
}
