/** How much of something is taken, as a bar with its figures; in a list of these. */
import type { ReactNode } from 'react'

interface MeterProps {
  readonly title: string
  /** What it belongs to, for those who do not see where it stands. */
  readonly of: string
  readonly share: number
  readonly text: string
  /** Below the bar. */
  readonly children?: ReactNode
}

export function Meter({ title, of, share, text, children }: MeterProps) {
  const percent = 100 * Math.min(1, Math.max(0, share))
  return (
    <div className="meter">
      <dt className="soft small">{title}</dt>
      <dd>
        <span
          className="bar"
          role="meter"
          aria-label={`${title}, ${of}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(percent)}
          aria-valuetext={text}
        >
          <span style={{ width: `${percent}%` }} />
        </span>
        <span className="small number">{text}</span>
        {children}
      </dd>
    </div>
  )
}
