/** Which kinds of prompts a detector finds done as asked. */
import { percentage, rangeIn, whole } from '../format.ts'
import type { Report } from '../schema.ts'
import { folded, html, type Markup } from './markup.ts'
import { looksOf } from './policy-look.ts'

export function objectsSection(report: Report): Markup | undefined {
  const { policies } = report
  const kinds = Object.entries(policies[0].objectsByKind ?? {})
  if (kinds.length === 0) return undefined
  const looks = looksOf(report)
  return folded(
    'Objects, by what prompts ask for',
    html`
      <div class="scroll" role="group" aria-label="Objects, by what prompts ask for" tabindex="0">
        <table class="numbers" style="--columns: ${policies.length}">
          <thead>
            <tr>
              <th scope="col"></th>
              ${policies.map(({ name }) => html`<th scope="col">${looks(name).title}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${kinds.map(
              ([kind, { prompts, n }]) =>
                html`<tr>
                  <th scope="row">
                    ${kind.replaceAll('_', ' ')}<small>${whole(prompts)} prompts, ${whole(n)} images</small>
                  </th>
                  ${policies.map(({ objectsByKind }) => {
                    const value = objectsByKind?.[kind]
                    return value === undefined
                      ? html`<td><small>–</small></td>`
                      : html`<td>
                          <b>${percentage.write(value.mean)}</b><small>${rangeIn(percentage, value)}</small>
                        </td>`
                  })}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `,
  )
}
