/** Who came from whom: rounds, judgments, rewards, policies and reports as a picture, and as a list. */
import type { Lineage, LineageNode } from '../../src/studio/schemas/runs.ts'
import { client } from '../api.ts'
import { Empty, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ago } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/history.css'

export function HistoryPage() {
  const { state } = useStudio()
  const key = [state?.rounds.length, state?.rewards.length, state?.policies.length, state?.reports.length]
  const lineage = useRemote(() => client.lineage(), ['lineage', ...key])
  return (
    <>
      <PageHead title="History">Who came from whom: every reward, policy and round with its parents.</PageHead>
      <Loaded remote={lineage} heights={[360]}>
        {(graph) =>
          graph.nodes.length <= 1 ? (
            <Empty
              icon="history"
              title="The history begins with the first round"
              action={
                <a className="button primary" href={to()}>
                  Begin
                </a>
              }
            >
              Rounds of images, rewards and policies appear here as they are made.
            </Empty>
          ) : (
            <div className="stack">
              <Picture graph={graph} />
              <Timeline graph={graph} />
            </div>
          )
        }
      </Loaded>
    </>
  )
}

const kindTitles: Readonly<Record<LineageNode['kind'], string>> = {
  pretrained: 'Pre-trained model',
  round: 'Round',
  judgments: 'Judgments',
  reward: 'Reward',
  policy: 'Policy',
  report: 'Report',
}

const box = { width: 192, height: 66, gapX: 56, gapY: 22, pad: 36 }

interface Placed extends LineageNode {
  readonly x: number
  readonly y: number
}

function place({ nodes }: Lineage): { placed: Map<string, Placed>; width: number; height: number } {
  const columns = [...Map.groupBy(nodes, ({ depth }) => depth)].sort(([a], [b]) => a - b)
  const tallest = Math.max(...columns.map(([, column]) => column.length))
  const height = tallest * (box.height + box.gapY) - box.gapY + 2 * box.pad
  const placed = new Map<string, Placed>()
  for (const [place, [, column]] of columns.entries()) {
    const own = column.length * (box.height + box.gapY) - box.gapY
    for (const [row, node] of column.entries()) {
      placed.set(node.id, {
        ...node,
        x: box.pad + place * (box.width + box.gapX),
        y: (height - own) / 2 + row * (box.height + box.gapY),
      })
    }
  }
  return { placed, width: columns.length * (box.width + box.gapX) - box.gapX + 2 * box.pad, height }
}

const hrefs: Readonly<Partial<Record<LineageNode['kind'], (id: string) => string>>> = {
  reward: (id) => to('rewards', id),
  report: (id) => to('reports', id),
  judgments: () => to('raters'),
}

const shortened = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

function Picture({ graph }: { graph: Lineage }) {
  const { placed, width, height } = place(graph)
  const edges = graph.edges.flatMap((edge) => {
    const [from, until] = [placed.get(edge.from), placed.get(edge.to)]
    return from === undefined || until === undefined ? [] : [{ ...edge, start: from, end: until }]
  })
  return (
    <div
      className="card lineage"
      tabIndex={0}
      role="group"
      aria-label="Picture of the history; the list below says the same"
    >
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {edges.map(({ start, end, role }) => {
          const [x1, y1] = [start.x + box.width, start.y + box.height / 2]
          const [x2, y2] = [end.x, end.y + box.height / 2]
          const bend = Math.max(24, (x2 - x1) / 2)
          // An edge that passes over a column goes around what stands there.
          const isLong = x2 - x1 > box.width
          const side = y2 >= y1 ? 1 : -1
          const around = isLong && Math.abs(y2 - y1) < box.height ? side * box.height * 1.1 : 0
          return (
            <path
              key={`${start.id} ${end.id} ${role}`}
              className={`edge ${role}`}
              d={`M${x1} ${y1}C${x1 + bend} ${y1 + around} ${x2 - bend} ${y2 + around} ${x2} ${y2}`}
            />
          )
        })}
        {[...placed.values()].map(({ id, kind, label, fact, x, y }) => (
          <g key={id} className={`node ${kind}`} transform={`translate(${x} ${y})`}>
            <rect width={box.width} height={box.height} rx="10" />
            <rect className="stripe" width="5" height={box.height - 20} x="8" y="10" rx="2.5" />
            <text className="node-kind" x="22" y="20">
              {kindTitles[kind]}
            </text>
            <text className="node-label" x="22" y="38">
              {shortened(label, 19)}
            </text>
            <text className="node-fact" x="22" y="55">
              {shortened(fact, 24)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  )
}

function Timeline({ graph: { nodes, edges } }: { graph: Lineage }) {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]))
  const known = nodes.filter(({ at }) => at !== null).toSorted((a, b) => (a.at! < b.at! ? 1 : -1))
  return (
    <section className="stack tight">
      <h2>In order of time</h2>
      <ol className="timeline">
        {known.map(({ id, kind, label, fact, at }) => {
          const parents = edges.filter((edge) => edge.to === id)
          const href = hrefs[kind]?.(id)
          return (
            <li key={id} className={kind}>
              <span className="timeline-dot" aria-hidden="true" />
              <div>
                <strong dir="auto">{href === undefined ? label : <a href={href}>{label}</a>}</strong>{' '}
                <span className="soft small">
                  {kindTitles[kind].toLowerCase()} · {ago(at!)}
                </span>
                <p className="small" dir="auto">
                  {fact}
                </p>
                {parents.length > 0 && (
                  <p className="soft small" dir="auto">
                    from {parents.map(({ from }) => labels.get(from) ?? from).join(', ')}
                  </p>
                )}
              </div>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
