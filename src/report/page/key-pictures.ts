/** A few pictures that show what changed: the base above, the policy below, from the same noise. */
import { splits, type Report } from '../schema.ts'
import { subjectOf } from './headline.ts'
import { html, type Markup } from './markup.ts'
import { looksOf } from './policy-look.ts'
import { shot, type SampleRow } from './samples-section.ts'
import { wordingOf } from './wording.ts'

/** Prompts of each split, and images of each prompt. */
const [fewPrompts, fewImages] = [2, 3]

/** Undefined where nothing was drawn by both. */
export function keyPictures(rows: readonly SampleRow[], report: Report): Markup | undefined {
  const subject = subjectOf(report)?.name
  const names = ['base', subject]
  const shown = splits.flatMap((split) =>
    rows
      .filter((row) => row.split === split && names.every((name) => row.cells.some(({ policy }) => policy === name)))
      .slice(0, fewPrompts),
  )
  if (subject === undefined || shown.length === 0) return undefined
  const looks = looksOf(report)
  const words = wordingOf(report)
  return html`<div class="key-pictures">
      ${shown.map(
        ({ prompt, cells }) =>
          html`<figure>
            <figcaption>${prompt}</figcaption>
            ${['base', subject].map((name) => {
              const { images } = cells.find(({ policy }) => policy === name)!
              return html`<div class="key-row">
                <span>${looks(name).title}</span>
                <div class="shots">
                  ${images.slice(0, fewImages).map((image, i) => shot(image, i, looks(name).title, words))}
                </div>
              </div>`
            })}
          </figure>`,
      )}
    </div>
    <p class="soft">
      The first images of the first prompts, not picked; what stands above each other begins with the same noise.
    </p>`
}
