/** All runs as a table: found, chosen, laid over each other, started once more, renamed, archived and deleted. */
import { useMemo, useState } from 'react'
import { runBase, type FormStage } from '../../../src/stages.ts'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { DiskRoom } from '../../components/disk-room.tsx'
import { JobBadge } from '../../components/job-badge.tsx'
import { Empty, ErrorNotice, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ago, duration, figure, percent, settingTitle, size, stageTitle } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { go, setSearch, to, useSearch } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/runs.css'
import { cellText, differingSettings } from './differing.ts'
import { DeleteRuns } from './delete-runs.tsx'
import { Overlay } from './overlay.tsx'
import { RenameRun } from './rename-run.tsx'

export const runTitle = ({ title, name }: Pick<RunRow, 'title' | 'name'>) => title ?? name

export function RunsPage() {
  const texts = useTexts().runs
  const { state } = useStudio()
  const isBusy = state?.jobs.some(isOpen) ?? false
  const runs = useRemote(() => client.runs(), ['runs'], {
    everyMs: isBusy ? 3000 : 0,
    changes: [state?.jobs.map((job) => [job.id, job.state])],
  })
  return (
    <>
      <PageHead title={texts.title}>{texts.about}</PageHead>
      <DiskRoom />
      <Loaded remote={runs} heights={[60, 300]}>
        {({ runs: all }) =>
          all.length === 0 ? (
            <Empty
              icon="runs"
              title={texts.none}
              action={
                <a className="button primary" href={to()}>
                  {texts.begin}
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
  const texts = useTexts().runs
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
        {texts.shown(shown.length, size(shown.reduce((sum, { bytes }) => sum + bytes, 0)))}
      </p>
      {chosen.length > 0 && <Chosen runs={chosen} reload={reload} clear={() => change({ chosen: '' })} />}
      {shown.length === 0 ? (
        <Empty icon="runs" title={texts.noneLikeThat} />
      ) : (
        <div className="card flat table-wrap" role="group" aria-label={texts.title} tabIndex={0}>
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
  const {
    jobs,
    runs: { filters, title },
  } = useTexts()
  const [stageNames, states] = useMemo(
    () => [[...new Set(all.map(({ stage }) => stage))], [...new Set(all.map(({ state }) => state))]],
    [all],
  )
  const hasArchived = all.some(({ archived }) => archived)
  return (
    <div className="run-filters" role="search" aria-label={title}>
      <div className="field">
        <label htmlFor="runs-text">{filters.text}</label>
        <input
          id="runs-text"
          type="text"
          value={asked('text')}
          onChange={({ target }) => change({ text: target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor="runs-stage">{filters.stage}</label>
        <select id="runs-stage" value={asked('stage')} onChange={({ target }) => change({ stage: target.value })}>
          <option value="">{filters.allStages}</option>
          {stageNames.map((stage) => (
            <option key={stage} value={stage}>
              {stageTitle(stage)}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="runs-state">{filters.state}</label>
        <select id="runs-state" value={asked('state')} onChange={({ target }) => change({ state: target.value })}>
          <option value="">{filters.allStates}</option>
          {states.map((state) => (
            <option key={state} value={state}>
              {jobs.states[state]}
            </option>
          ))}
        </select>
      </div>
      {(hasArchived || asked('archived') !== '') && (
        <div className="field">
          <label htmlFor="runs-archived">{filters.archived}</label>
          <select
            id="runs-archived"
            value={asked('archived')}
            onChange={({ target }) => change({ archived: target.value })}
          >
            <option value="">{filters.withoutArchived}</option>
            <option value="shown">{filters.withArchived}</option>
            <option value="only">{filters.onlyArchived}</option>
          </select>
        </div>
      )}
    </div>
  )
}

interface Column {
  readonly title: keyof Texts['runs']['columns']
  readonly of: (run: RunRow) => string | null
}
const text = (value: number | null, told: (value: number) => string = figure) => (value === null ? null : told(value))
const figureColumns: readonly Column[] = [
  { title: 'reward', of: ({ figures }) => text(figures.reward) },
  { title: 'alignment', of: ({ figures }) => text(figures.alignment, (share) => percent(share)) },
  { title: 'kl', of: ({ figures }) => text(figures.klNats) },
  { title: 'frechet', of: ({ figures }) => text(figures.frechet) },
  { title: 'auc', of: ({ figures }) => text(figures.auc) },
]
/** Figures that one of the runs has. */
const columnsOf = (runs: readonly RunRow[]) => figureColumns.filter(({ of }) => runs.some((run) => of(run) !== null))

function Head({ runs, differing }: { runs: readonly RunRow[]; differing: readonly string[] }) {
  const { columns } = useTexts().runs
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="hidden">{columns.chosen}</span>
        </th>
        <th scope="col">{columns.run}</th>
        <th scope="col">{columns.state}</th>
        {differing.map((name) => (
          <th key={name} scope="col" className="differs">
            {settingTitle(name)}
          </th>
        ))}
        {columnsOf(runs).map(({ title }) => (
          <th key={title} scope="col">
            {columns[title]}
          </th>
        ))}
        <th scope="col">{columns.took}</th>
        <th scope="col">{columns.size}</th>
        <th scope="col">{columns.when}</th>
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
  const texts = useTexts().runs
  const { name, title, stage, state, job, seconds, bytes, at, archived, settings } = run
  return (
    <tr data-chosen={isChosen}>
      <td>
        <label className="run-check">
          <input type="checkbox" checked={isChosen} aria-label={texts.choose(name)} onChange={() => toggle(name)} />
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
            {stageTitle(stage)}
            {archived && ` · ${texts.archived}`}
          </span>
        </span>
      </td>
      <td data-title={texts.columns.state}>
        <JobBadge state={state} />
      </td>
      {differing.map((setting) => (
        <td key={setting} data-title={settingTitle(setting)} className="differs" dir="auto">
          {isChosen ? cellText(settings[setting]) : ''}
        </td>
      ))}
      {columns.map(({ title: column, of }) => (
        <td key={column} data-title={texts.columns[column]} className="number">
          {of(run) ?? '–'}
        </td>
      ))}
      <td data-title={texts.columns.took} className="number">
        {seconds > 0 ? duration(seconds) : '–'}
      </td>
      <td data-title={texts.columns.size} className="number">
        {size(bytes)}
      </td>
      <td data-title={texts.columns.when} className="soft">
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
  const texts = useTexts().runs
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
    <section className="chosen-runs card" aria-label={texts.chosen}>
      <strong>{isOne ? runTitle(only) : texts.chosenCount(runs.length)}</strong>
      <div className="row">
        {isOne && only.canRerun && (
          <>
            <button type="button" className="button small" disabled={isBusy} onClick={() => void run(again)}>
              {texts.again}
            </button>
            <a
              className="button small"
              href={`${to('train', runBase(only.stage as FormStage))}?like=${encodeURIComponent(only.name)}`}
            >
              {texts.changeFirst}
            </a>
          </>
        )}
        {isOne && (
          <button type="button" className="button small" onClick={() => setAsking('rename')}>
            {texts.rename}
          </button>
        )}
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run(archive)}>
          {isShelved ? texts.takeBack : texts.archive}
        </button>
        <button type="button" className="button small danger" disabled={isBusy} onClick={() => setAsking('delete')}>
          {texts.delete}
        </button>
        <button type="button" className="button small quiet" onClick={clear}>
          {texts.chooseNone}
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
