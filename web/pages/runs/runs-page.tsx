/** All runs as a table: found, chosen, laid over each other, started once more, renamed, archived and deleted. */
import { useMemo, useState } from 'react'
import { runBase, stages, stageTitle, type FormStage, type StageName } from '../../../src/stages.ts'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { JobBadge } from '../../components/job-badge.tsx'
import { Empty, ErrorNotice, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ago, duration, figure, percent, plural, size } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { go, setSearch, to, useSearch } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import '../../styles/runs.css'
import { cellText, differingSettings } from './differing.ts'
import { DeleteRuns } from './delete-runs.tsx'
import { Overlay } from './overlay.tsx'
import { RenameRun } from './rename-run.tsx'

const stageText = (stage: string) => (Object.hasOwn(stages, stage) ? stageTitle(stage as StageName) : stage)
export const runTitle = ({ title, name }: Pick<RunRow, 'title' | 'name'>) => title ?? name

export function RunsPage() {
  const { state } = useStudio()
  const isBusy = state?.jobs.some(isOpen) ?? false
  const runs = useRemote(() => client.runs(), ['runs'], {
    everyMs: isBusy ? 3000 : 0,
    changes: [state?.jobs.map((job) => [job.id, job.state])],
  })
  return (
    <>
      <PageHead title="Runs">
        Everything that was made here. Choose two or more to see which settings differ, and their curves over each other.
      </PageHead>
      <Loaded remote={runs} heights={[60, 300]}>
        {({ runs: all }) =>
          all.length === 0 ? (
            <Empty
              icon="runs"
              title="Nothing has been made yet"
              action={
                <a className="button primary" href={to()}>
                  Begin
                </a>
              }
            />
          ) : (
            <Runs all={all} reload={runs.reload} />
          )
        }
      </Loaded>
    </>
  )
}

function Runs({ all, reload }: { all: readonly RunRow[]; reload: () => Promise<void> }) {
  const search = useSearch()
  const asked = (name: string) => search.get(name) ?? ''
  const change = (changes: Readonly<Record<string, string>>) => {
    const next = new URLSearchParams(search)
    for (const [name, value] of Object.entries(changes)) {
      if (value === '') next.delete(name)
      else next.set(name, value)
    }
    setSearch(next, { replace: true })
  }
  const names = new Set(asked('chosen').split(',').filter(Boolean))
  const chosen = all.filter(({ name }) => names.has(name))
  const toggle = (name: string) => {
    const next = new Set(chosen.map((run) => run.name))
    if (!next.delete(name)) next.add(name)
    change({ chosen: [...next].join(',') })
  }
  const text = asked('text').toLowerCase()
  const shown = all.filter(
    (run) =>
      (asked('stage') === '' || run.stage === asked('stage')) &&
      (asked('state') === '' || run.state === asked('state')) &&
      (run.archived ? asked('archived') !== '' : asked('archived') !== 'only') &&
      [run.name, run.title ?? '', JSON.stringify(run.settings)].some((one) => one.toLowerCase().includes(text)),
  )
  const differing = differingSettings(chosen)
  return (
    <div className="stack">
      <Filters all={all} asked={asked} change={change} />
      <p className="soft small" role="status">
        {plural(shown.length, 'run')}, {size(shown.reduce((sum, { bytes }) => sum + bytes, 0))} on the disk
      </p>
      {chosen.length > 0 && <Chosen runs={chosen} reload={reload} clear={() => change({ chosen: '' })} />}
      {shown.length === 0 ? (
        <Empty icon="runs" title="No run is like that" />
      ) : (
        <div className="card flat table-wrap" role="group" aria-label="Runs" tabIndex={0}>
          <table className="table run-table">
            <Head runs={shown} differing={differing} />
            <tbody>
              {shown.map((run) => (
                <Row
                  key={run.name}
                  run={run}
                  columns={columnsOf(shown)}
                  differing={differing}
                  isChosen={names.has(run.name)}
                  toggle={toggle}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen.some(({ measured }) => measured) && (
        <Overlay runs={chosen.filter(({ measured }) => measured)} axis={asked('by')} change={change} />
      )}
    </div>
  )
}

interface FiltersProps {
  readonly all: readonly RunRow[]
  readonly asked: (name: string) => string
  readonly change: (changes: Readonly<Record<string, string>>) => void
}

function Filters({ all, asked, change }: FiltersProps) {
  const [stageNames, states] = useMemo(
    () => [[...new Set(all.map(({ stage }) => stage))], [...new Set(all.map(({ state }) => state))]],
    [all],
  )
  const hasArchived = all.some(({ archived }) => archived)
  return (
    <div className="run-filters" role="search" aria-label="Runs">
      <div className="field">
        <label htmlFor="runs-text">Name or setting</label>
        <input
          id="runs-text"
          type="text"
          value={asked('text')}
          onChange={({ target }) => change({ text: target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor="runs-stage">Stage</label>
        <select id="runs-stage" value={asked('stage')} onChange={({ target }) => change({ stage: target.value })}>
          <option value="">All stages</option>
          {stageNames.map((stage) => (
            <option key={stage} value={stage}>
              {stageText(stage)}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="runs-state">State</label>
        <select id="runs-state" value={asked('state')} onChange={({ target }) => change({ state: target.value })}>
          <option value="">All states</option>
          {states.map((state) => (
            <option key={state} value={state}>
              {state}
            </option>
          ))}
        </select>
      </div>
      {(hasArchived || asked('archived') !== '') && (
        <div className="field">
          <label htmlFor="runs-archived">Archived</label>
          <select
            id="runs-archived"
            value={asked('archived')}
            onChange={({ target }) => change({ archived: target.value })}
          >
            <option value="">Without archived ones</option>
            <option value="shown">With archived ones</option>
            <option value="only">Archived ones only</option>
          </select>
        </div>
      )}
    </div>
  )
}

interface Column {
  readonly title: string
  readonly of: (run: RunRow) => string | null
}
const text = (value: number | null, told: (value: number) => string = figure) => (value === null ? null : told(value))
const figureColumns: readonly Column[] = [
  { title: 'Reward', of: ({ figures }) => text(figures.reward) },
  { title: 'Alignment', of: ({ figures }) => text(figures.alignment, (share) => percent(share)) },
  { title: 'KL, nats', of: ({ figures }) => text(figures.klNats) },
  { title: 'Fréchet', of: ({ figures }) => text(figures.frechet) },
  { title: 'AUC', of: ({ figures }) => text(figures.auc) },
]
/** Figures that one of the runs has. */
const columnsOf = (runs: readonly RunRow[]) => figureColumns.filter(({ of }) => runs.some((run) => of(run) !== null))

function Head({ runs, differing }: { runs: readonly RunRow[]; differing: readonly string[] }) {
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="hidden">Chosen</span>
        </th>
        <th scope="col">Run</th>
        <th scope="col">State</th>
        {differing.map((name) => (
          <th key={name} scope="col" className="differs">
            {name}
          </th>
        ))}
        {columnsOf(runs).map(({ title }) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
        <th scope="col">Took</th>
        <th scope="col">Size</th>
        <th scope="col">When</th>
      </tr>
    </thead>
  )
}

interface RowProps {
  readonly run: RunRow
  readonly columns: readonly Column[]
  readonly differing: readonly string[]
  readonly isChosen: boolean
  readonly toggle: (name: string) => void
}

function Row({ run, columns, differing, isChosen, toggle }: RowProps) {
  const { name, title, stage, state, job, seconds, bytes, at, archived, settings } = run
  return (
    <tr data-chosen={isChosen}>
      <td>
        <label className="run-check">
          <input type="checkbox" checked={isChosen} aria-label={`Choose ${name}`} onChange={() => toggle(name)} />
        </label>
      </td>
      <td>
        <span className="run-name">
          {job === null ? (
            <strong dir="auto">{title ?? name}</strong>
          ) : (
            <a className="text-link" href={to('train', 'job', job)} dir="auto">
              {title ?? name}
            </a>
          )}
          <span className="soft small" dir="auto">
            {title !== null && `${name} · `}
            {stageText(stage)}
            {archived && ' · archived'}
          </span>
        </span>
      </td>
      <td data-title="State">
        <JobBadge state={state} />
      </td>
      {differing.map((setting) => (
        <td key={setting} data-title={setting} className="differs" dir="auto">
          {isChosen ? cellText(settings[setting]) : ''}
        </td>
      ))}
      {columns.map(({ title: column, of }) => (
        <td key={column} data-title={column} className="number">
          {of(run) ?? '–'}
        </td>
      ))}
      <td data-title="Took" className="number">
        {seconds > 0 ? duration(seconds) : '–'}
      </td>
      <td data-title="Size" className="number">
        {size(bytes)}
      </td>
      <td data-title="When" className="soft">
        {ago(at)}
      </td>
    </tr>
  )
}

interface ChosenProps {
  readonly runs: readonly RunRow[]
  readonly reload: () => Promise<void>
  readonly clear: () => void
}

/** What can be done with the runs that are chosen. */
function Chosen({ runs, reload, clear }: ChosenProps) {
  const studio = useStudio()
  const [asking, setAsking] = useState<'delete' | 'rename'>()
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await Promise.all([reload(), studio.reload()])
  })
  const [only] = runs
  const isOne = runs.length === 1
  const isShelved = runs.every(({ archived }) => archived)
  const archive = async () => {
    for (const { name } of runs) await client.changeRun(name, { archived: !isShelved })
  }
  const again = async () => {
    const job = await client.startJob({ stage: only.stage as FormStage, like: only.name })
    go('train', 'job', job.id)
  }
  return (
    <section className="chosen-runs card" aria-label="Chosen runs">
      <strong>{isOne ? runTitle(only) : `${runs.length} runs chosen`}</strong>
      <div className="row">
        {isOne && only.canRerun && (
          <>
            <button type="button" className="button small" disabled={isBusy} onClick={() => void run(again)}>
              Run again
            </button>
            <a
              className="button small"
              href={`${to('train', runBase(only.stage as FormStage))}?like=${encodeURIComponent(only.name)}`}
            >
              Change settings, then run
            </a>
          </>
        )}
        {isOne && (
          <button type="button" className="button small" onClick={() => setAsking('rename')}>
            Rename
          </button>
        )}
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run(archive)}>
          {isShelved ? 'Take back' : 'Archive'}
        </button>
        <button type="button" className="button small danger" disabled={isBusy} onClick={() => setAsking('delete')}>
          Delete …
        </button>
        <button type="button" className="button small quiet" onClick={clear}>
          Choose none
        </button>
      </div>
      <ErrorNotice error={error} />
      {asking === 'rename' && (
        <RenameRun
          run={only}
          rename={(title) => void run(() => client.changeRun(only.name, { title }))}
          close={() => setAsking(undefined)}
        />
      )}
      {asking === 'delete' && (
        <DeleteRuns
          runs={runs}
          remove={(agreed) =>
            void run(async () => {
              for (const { name } of runs) await client.deleteRun(name, { children: agreed })
              clear()
            })
          }
          close={() => setAsking(undefined)}
        />
      )}
    </section>
  )
}
