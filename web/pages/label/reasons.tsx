import type { Guidelines } from '../../../src/studio/schemas/labelling.ts'
import { useKeys } from './keys.ts'

export interface ReasonsProps {
  readonly reasons: Guidelines['reasons']
  readonly picked: readonly string[]
  readonly pick: (codes: readonly string[]) => void
  readonly label?: string
}

/** Keys that no way of asking uses. */
const letters = ['q', 'w', 'e', 'r', 'y', 'z', 'x', 'c', 'v']

/** Why; never asked for, always welcome. */
export function Reasons({ reasons, picked, pick, label = 'Why? (optional)' }: ReasonsProps) {
  const toggle = (code: string) =>
    pick(picked.includes(code) ? picked.filter((one) => one !== code) : [...picked, code])
  useKeys(Object.fromEntries(reasons.slice(0, letters.length).map(({ code }, i) => [letters[i], () => toggle(code)])))
  if (reasons.length === 0) return null
  return (
    <div className="reasons" role="group" aria-label={label}>
      <span className="soft small">{label}</span>
      <div className="chips">
        {reasons.map(({ code, label: text }, i) => (
          <button
            key={code}
            type="button"
            className="chip"
            aria-pressed={picked.includes(code)}
            onClick={() => toggle(code)}
            dir="auto"
          >
            {text}
            {i < letters.length && <kbd className="on-chip">{letters[i].toUpperCase()}</kbd>}
          </button>
        ))}
      </div>
    </div>
  )
}
