/** A small line of the last figures of something; what they are stands beside it. */
interface SparklineProps {
  readonly values: readonly number[]
  /** At the top; what is above is cut. */
  readonly top: number
  /** For those who do not see it: what it shows, from where to where. */
  readonly label: string
}

const [width, height] = [100, 22]

export function Sparkline({ values, top, label }: SparklineProps) {
  if (values.length < 2) return null
  const x = (place: number) => (width * place) / (values.length - 1)
  const y = (value: number) => height - 1 - (height - 2) * Math.min(1, value / top)
  const points = values.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`)
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polyline points={points.join(' ')} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
