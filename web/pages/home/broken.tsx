/** What cannot be read is named; everything else works without it. */
import type { State } from '../../../src/studio/schemas/state.ts'
import { useTexts } from '../../texts/texts.ts'

const fewBroken = 5

export function Broken({ broken }: Pick<State, 'broken'>) {
  const { home } = useTexts()
  if (broken.length === 0) return null
  return (
    <section className="stack tight">
      <h2>{home.broken}</h2>
      <div className="notice warn" role="status">
        <span>{home.brokenWhy}</span>
        <ul className="broken">
          {broken.slice(0, fewBroken).map(({ name, reason }) => (
            <li key={`${name} ${reason}`} dir="auto">
              <strong>{name}</strong>: {reason}
            </li>
          ))}
        </ul>
        {broken.length > fewBroken && <span>{home.more(broken.length - fewBroken)}</span>}
      </div>
    </section>
  )
}
