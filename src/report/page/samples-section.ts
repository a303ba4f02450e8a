/** The section with images: the same prompts and seeds for every policy, with a mark of the judge or the scorer. */
import { folded, html, type Markup } from './markup.ts'
import type { PolicyName } from '../policy-name.ts'
import { splits, type Report, type Split } from '../schema.ts'
import { looksOf } from './policy-look.ts'
import { isCrisp, type Thumbnail } from './thumbnail.ts'
import { wordingOf, type Mark, type Wording } from './wording.ts'

/** One image of a grid and what is said of it. */
interface Sample {
  readonly thumbnail: Thumbnail
  /** None where the image was compared with none. */
  readonly mark: Mark | undefined
  /** Shown in the text alternative. */
  readonly seed?: number
}

/** One prompt with what each policy drew for it; the i-th image of every policy has the same seed. */
export interface SampleRow {
  readonly prompt: string
  readonly split: Split
  readonly cells: readonly { readonly policy: PolicyName; readonly images: readonly Sample[] }[]
}

export function samplesSection(rows: readonly SampleRow[], report: Report): Markup | undefined {
  if (rows.length === 0) return undefined
  const words = wordingOf(report)
  const looks = looksOf(report)
  const isLarge = rows.some(({ cells }) =>
    cells.some(({ images }) => images.some(({ thumbnail }) => !isCrisp(thumbnail))),
  )
  return folded(
    'The same prompts and seeds, drawn by each policy',
    html`
      <p class="soft">
        The first images of each prompt, not picked. Images in one place of a cell start from the same noise; best-of-n
        picks from n draws.
        ${words.marks.map(({ sign, meaning }, i) => html`${i > 0 ? ', ' : ''}<b>${sign}</b> ${meaning}`)}.
      </p>
      ${splits.map((split) => {
        const shown = rows.filter((row) => row.split === split)
        if (shown.length === 0) return undefined
        const policies = shown[0].cells.map((cell) => cell.policy)
        const title = split === 'seen' ? words.seenTitle : 'Unseen prompts'
        return html`<h3>${title}</h3>
          <div class="scroll" role="group" aria-label="${title}" tabindex="0">
            <table class="samples${isLarge ? ' large' : ''}" style="--columns: ${policies.length}">
              <thead>
                <tr>
                  <th scope="col">Prompt</th>
                  ${policies.map((policy) => html`<th scope="col"><span class="key ${looks(policy).className}"></span>${looks(policy).title}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${shown.map(
                  (row) =>
                    html`<tr>
                      <th scope="row">${row.prompt}</th>
                      ${row.cells.map(
                        ({ policy, images }) =>
                          html`<td>
                            <div class="shots">
                              ${images.map((image, i) => shot(image, i, looks(policy).title, words))}
                            </div>
                          </td>`,
                      )}
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
      })}
    `,
  )
}

export function shot({ thumbnail, mark, seed }: Sample, place: number, title: string, { marks }: Wording): Markup {
  const { bytes, mediaType, width, height } = thumbnail
  const words = marks.find((one) => one.mark === mark)
  return html`<span class="shot ${mark ?? 'unmarked'}"
    ><img
      alt="${title}, seed ${seed ?? place + 1}${words && `: ${words.said}`}"
      width="${width}"
      height="${height}"
      src="data:${mediaType};base64,${Buffer.from(bytes).toString('base64')}"
    />${words && html`<i aria-hidden="true">${words.sign}</i>`}</span
  >`
}
