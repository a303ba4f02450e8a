/** Who came from whom: rounds, judgments, rewards, policies and reports as a picture, and as a list. */
import { useLayoutEffect } from 'react'
import type { Lineage, LineageNode } from '../../src/studio/schemas/runs.ts'
import { client } from '../api.ts'
import { Empty, Loaded } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { PolicyDownload } from '../components/policy-download.tsx'
import { useSize } from '../components/use-size.ts'
import { ago, policyTitle, stageTitle } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { texts, useTexts } from '../texts/texts.ts'
import '../styles/history.css'

export function HistoryPage() {
  const { frame, history } = useTexts()
  const { state } = useStudio()
  const changes = [state?.rounds.length, state?.rewards.length, state?.policies.length, state?.reports.length]
  const lineage = useRemote(() => client.lineage(), ['lineage'], { changes })
  return (
    <>
      <PageHead title={frame.places.history}>{history.about}</PageHead>
      <Loaded remote={lineage} heights={[360]}>
        {(graph) =>
          graph.nodes.length <= 1 ? (
            <Empty
              icon="history"
              title={history.none}
              action={
                <a className="button primary" href={to()}>
                  {history.begin}
                </a>
              }
            >
              {history.noneWhy}
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

const labelText = ({ label }: LineageNode): string => (label === 'pretrained' ? texts().history.embedded : label)

/** `32 images, 20 judged`, `120 labels, AUC 0.91` */
function factsText({ kind, label, stage, facts }: LineageNode): string {
  const { history } = texts()
  if (kind === 'pretrained') return label === 'pretrained' ? '' : history.checkpoint
  const told = (['images', 'judged', 'labels', 'auc', 'updates'] as const).flatMap((name) => {
    const value = facts[name]
    return value === undefined ? [] : [history.facts[name](value)]
  })
  return told.join(', ') || (stage === null || kind === 'report' ? '' : stageTitle(stage))
}

const box = { width: 192, height: 66, pad: 16 }
/** Between generations, and between those of one generation. */
const gap = { generations: 48, siblings: 16 }
/** A box shows little of a name below this, pixels: then the picture is scrolled. */
const leastWidth = 136

interface Placed extends LineageNode {
  readonly x: number
  readonly y: number
}
interface Drawing {
  readonly placed: Map<string, Placed>
  readonly width: number
  readonly height: number
  /** Of one box. */
  readonly boxWidth: number
  /** Generations follow each other downwards, else to the right. */
  readonly isDown: boolean
}

/** To the right as long as there is room, pixels; else the way that needs less of it. */
function place({ nodes }: Lineage, room: number): Drawing {
  const generations = [...Map.groupBy(nodes, ({ depth }) => depth)].sort(([a], [b]) => a - b).map(([, those]) => those)
  const most = Math.max(...generations.map(({ length }) => length))
  const spanOf = (size: number, count: number, between: number) => count * (size + between) - between
  const free = room - 2 * box.pad
  const [leastRight, leastDown] = [
    spanOf(leastWidth, generations.length, gap.generations),
    spanOf(leastWidth, most, gap.siblings),
  ]
  const isDown = leastRight > free && leastDown < leastRight
  const fitting = isDown
    ? (free + gap.siblings) / most - gap.siblings
    : (free + gap.generations) / generations.length - gap.generations
  const boxWidth = Math.max(leastWidth, Math.min(box.width, fitting))
  const [along, across] = isDown ? [box.height, boxWidth] : [boxWidth, box.height]
  const widest = spanOf(across, most, gap.siblings)
  const longest = spanOf(along, generations.length, gap.generations)
  const placed = new Map<string, Placed>()
  for (const [generation, those] of generations.entries()) {
    const own = spanOf(across, those.length, gap.siblings)
    for (const [row, node] of those.entries()) {
      const forward = box.pad + generation * (along + gap.generations)
      const sideward = box.pad + (widest - own) / 2 + row * (across + gap.siblings)
      placed.set(node.id, { ...node, x: isDown ? sideward : forward, y: isDown ? forward : sideward })
    }
  }
  const [width, height] = isDown ? [widest, longest] : [longest, widest]
  return { placed, width: width + 2 * box.pad, height: height + 2 * box.pad, boxWidth, isDown }
}

/** From one box to another; an edge that passes over a generation goes around what stands there. */
function edgePath(start: Placed, end: Placed, { isDown, boxWidth, width, height }: Drawing): string {
  // A curve goes three quarters of the way to its handles: it must stay inside the picture.
  const within = (wanted: number, a: number, b: number, size: number) =>
    Math.min(Math.max(wanted, (box.pad / 2 - Math.min(a, b)) / 0.75), (size - box.pad / 2 - Math.max(a, b)) / 0.75)
  if (isDown) {
    const [x1, y1, x2, y2] = [start.x + boxWidth / 2, start.y + box.height, end.x + boxWidth / 2, end.y]
    const bend = Math.max(24, (y2 - y1) / 2)
    const around = y2 - y1 > box.height ? within(boxWidth * 0.9, x1, x2, width) : 0
    return `M${x1} ${y1}C${x1 + around} ${y1 + bend} ${x2 + around} ${y2 - bend} ${x2} ${y2}`
  }
  const [x1, y1, x2, y2] = [start.x + boxWidth, start.y + box.height / 2, end.x, end.y + box.height / 2]
  const bend = Math.max(24, (x2 - x1) / 2)
  const side = y2 >= y1 ? 1 : -1
  const isPast = x2 - x1 > boxWidth && Math.abs(y2 - y1) < box.height
  const around = isPast ? within(side * box.height * 1.1, y1, y2, height) : 0
  return `M${x1} ${y1}C${x1 + bend} ${y1 + around} ${x2 - bend} ${y2 + around} ${x2} ${y2}`
}

const hrefs: Readonly<Partial<Record<LineageNode['kind'], (id: string) => string>>> = {
  reward: (id) => to('rewards', id),
  report: (id) => to('reports', id),
  judgments: () => to('raters'),
}

/** Pixels of the card, and of one letter of a name, roughly. */
const usualRoom = 1060
const letter = 8.2
const shortened = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

function Picture({ graph }: { graph: Lineage }) {
  const { history } = useTexts()
  const { ref, width: room } = useSize<HTMLDivElement>(usualRoom)
  const drawing = place(graph, room)
  const { placed, width, height, boxWidth } = drawing
  const { isDown } = drawing
  // The parents of all stand in the middle.
  useLayoutEffect(() => {
    if (isDown && ref.current !== null) ref.current.scrollLeft = (width - room) / 2
  }, [ref, isDown, width, room])
  const letters = Math.floor((boxWidth - 30) / letter)
  const edges = graph.edges.flatMap((edge) => {
    const [from, until] = [placed.get(edge.from), placed.get(edge.to)]
    return from === undefined || until === undefined ? [] : [{ ...edge, start: from, end: until }]
  })
  return (
    <div ref={ref} className="card lineage" tabIndex={0} role="group" aria-label={history.picture}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {edges.map(({ start, end, role }) => (
          <path key={`${start.id} ${end.id} ${role}`} className={`edge ${role}`} d={edgePath(start, end, drawing)} />
        ))}
        {[...placed.values()].map((node) => (
          <g key={node.id} className={`node ${node.kind}`} transform={`translate(${node.x} ${node.y})`}>
            <rect width={boxWidth} height={box.height} rx="10" />
            <rect className="stripe" width="5" height={box.height - 20} x="8" y="10" rx="2.5" />
            <text className="node-kind" x="22" y="20">
              {history.kinds[node.kind]}
            </text>
            <text className="node-label" x="22" y="38">
              {shortened(labelText(node), letters)}
            </text>
            <text className="node-fact" x="22" y="55">
              {shortened(factsText(node), Math.floor(letters * 1.2))}
            </text>
          </g>
        ))}
      </svg>
    </div>
  )
}

function Timeline({ graph: { nodes, edges } }: { graph: Lineage }) {
  const { history } = useTexts()
  const labels = new Map(nodes.map(({ id, label }) => [id, policyTitle(label)]))
  const known = nodes.filter(({ at }) => at !== null).toSorted((a, b) => (a.at! < b.at! ? 1 : -1))
  return (
    <section className="stack tight">
      <h2>{history.inOrder}</h2>
      <ol className="timeline">
        {known.map((node) => {
          const { id, kind, label, at } = node
          const parents = edges.filter((edge) => edge.to === id)
          const href = hrefs[kind]?.(id)
          return (
            <li key={id} className={kind}>
              <span className="timeline-dot" aria-hidden="true" />
              <div>
                <strong dir="auto">{href === undefined ? label : <a href={href}>{label}</a>}</strong>{' '}
                <span className="soft small">{history.kindAndTime(history.kinds[kind], ago(at!))}</span>
                <p className="small" dir="auto">
                  {factsText(node)}
                </p>
                {parents.length > 0 && (
                  <p className="soft small" dir="auto">
                    {history.from(parents.map(({ from }) => labels.get(from) ?? from))}
                  </p>
                )}
                {kind === 'policy' && <PolicyDownload name={id} />}
              </div>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
