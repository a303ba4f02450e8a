/** Two buttons through a long list, and which part of it is shown; nothing of a list that fits. */
import { useTexts } from '../texts/texts.ts'

interface PagerProps {
  /** What there is more of. */
  readonly title: string
  readonly offset: number
  readonly perPage: number
  readonly total: number
  readonly show: (offset: number) => void
  /** Of the buttons: towards the begin of the list, and on. */
  readonly names?: readonly [string, string]
}

export function Pager({ title, offset, perPage, total, show, names }: PagerProps) {
  const { frame } = useTexts()
  if (total <= perPage) return null
  const button = (name: string, to: number, isPossible: boolean) => (
    <button type="button" className="button small" disabled={!isPossible} onClick={() => show(to)}>
      {name}
    </button>
  )
  return (
    <nav className="row" aria-label={title}>
      {button(names?.[0] ?? frame.earlier, Math.max(0, offset - perPage), offset > 0)}
      <span className="soft small number">{frame.shownOf(offset + 1, Math.min(total, offset + perPage), total)}</span>
      {button(names?.[1] ?? frame.further, offset + perPage, offset + perPage < total)}
    </nav>
  )
}
