/** What cannot be read is named; everything else works without it. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { figure } from '../../format.ts'

const fewBroken = 5

export function Broken({ broken }: Pick<State, 'broken'>) {
  if (broken.length === 0) return null
  return (
    <section className="stack tight">
      <h2>Broken</h2>
      <div className="notice warn" role="status">
        <span>These cannot be read, and are left out of all lists. Everything else works without them.</span>
        <ul className="broken">
          {broken.slice(0, fewBroken).map(({ name, reason }) => (
            <li key={`${name} ${reason}`} dir="auto">
              <strong>{name}</strong>: {reason}
            </li>
          ))}
        </ul>
        {broken.length > fewBroken && <span>and {figure(broken.length - fewBroken)} more</span>}
      </div>
    </section>
  )
}
