/** Alignment against fidelity: up is more of the prompt, right is closer to true pictures. */
import type { ReportSummary } from '../../../src/studio/schemas/runs.ts'
import { percent, tickText } from '../../format.ts'
import { useSize } from '../../components/use-size.ts'
import { useTexts } from '../../texts/texts.ts'

const colors = ['--soft', '--orange', '--accent', '--violet', '--teal', '--good']
const height = 320
const margin = { left: 56, right: 24, top: 18, bottom: 48 }
/** Pixels that a character of the labels takes, roughly. */
const letter = 7

export function AlignmentFidelity({ report: { policies } }: { report: ReportSummary }) {
  const { compare: texts } = useTexts()
  const { ref, width } = useSize<HTMLDivElement>(640)
  const x = scaleOf(
    policies.flatMap(({ frechet }) => [frechet.low, frechet.high]),
    width - margin.right,
    margin.left,
  )
  const y = scaleOf(
    policies.flatMap(({ seen }) => [seen.low, seen.high]),
    height - margin.bottom,
    margin.top,
  )
  const title = policies.map(({ name, seen, frechet }) => texts.placed(name, seen.mean, frechet.mean)).join('; ')
  return (
    <div ref={ref} className="chart">
      <svg width={width} height={height} role="img" aria-label={title}>
        {y.ticks.map((tick) => (
          <g key={tick}>
            <line className="grid" x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} />
            <text x={margin.left - 8} y={y(tick) + 4} textAnchor="end">
              {percent(tick)}
            </text>
          </g>
        ))}
        {x.ticks.map((tick) => (
          <text key={tick} x={x(tick)} y={height - margin.bottom + 18} textAnchor="middle">
            {tickText(tick, x.step)}
          </text>
        ))}
        <line
          className="axis"
          x1={margin.left}
          x2={width - margin.right}
          y1={height - margin.bottom}
          y2={height - margin.bottom}
        />
        <text x={margin.left} y={height - 8}>
          {texts.frechetAxis}
        </text>
        {policies.map(({ name, seen, frechet }, i) => {
          const stroke = `var(${colors[i % colors.length]})`
          const [cx, cy] = [x(frechet.mean), y(seen.mean)]
          const isAtEnd = cx + 12 + name.length * letter > width - margin.right
          return (
            <g key={name}>
              <line x1={x(frechet.low)} x2={x(frechet.high)} y1={cy} y2={cy} style={{ stroke }} strokeWidth="1.5" />
              <line x1={cx} x2={cx} y1={y(seen.low)} y2={y(seen.high)} style={{ stroke }} strokeWidth="1.5" />
              <circle cx={cx} cy={cy} r="6" style={{ fill: stroke }} />
              <text
                className="strong"
                x={isAtEnd ? cx - 11 : cx + 11}
                y={cy - 9}
                textAnchor={isAtEnd ? 'end' : 'start'}
              >
                {name}
              </text>
            </g>
          )
        })}
      </svg>
      <p className="soft small">{texts.alignmentAxis}</p>
    </div>
  )
}

interface Scale {
  (value: number): number
  readonly ticks: readonly number[]
  /** Between ticks. */
  readonly step: number
}

function scaleOf(values: readonly number[], start: number, end: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const pad = (most - least || Math.abs(most) || 1) * 0.1
  const [low, high] = [Math.max(0, least - pad), most + pad]
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const first = Math.ceil(low / step)
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
  return Object.assign((value: number) => start + ((value - low) / (high - low)) * (end - start), { ticks, step })
}
