/** A box of prompts, one a line, typed or of a file, with what would become of them when they are drawn. */
import { useEffect, useState } from 'react'
import { StudioError } from '../../src/errors.ts'
import { mostPrompts, type PromptCheck } from '../../src/studio/schemas/prompts.ts'
import { client } from '../api.ts'
import { plural } from '../format.ts'
import { promptLines, withPrompts } from '../prompt-lines.ts'
import { useAction } from '../remote.ts'
import { DropZone } from './drop-zone.tsx'
import { ErrorNotice } from './notice.tsx'

interface PromptsBoxProps {
  readonly id: string
  readonly value: string
  readonly change: (value: string) => void
  readonly placeholder: string
  readonly describedBy?: string
  readonly isWrong?: boolean
}

export function PromptsBox({ id, value, change, placeholder, describedBy, isWrong }: PromptsBoxProps) {
  return (
    <>
      <textarea
        id={id}
        aria-describedby={describedBy}
        aria-invalid={isWrong === true ? true : undefined}
        rows={4}
        placeholder={placeholder}
        value={value}
        dir="auto"
        onChange={({ target }) => change(target.value)}
      />
      <FromFile value={value} change={change} />
      <Fate text={value} />
    </>
  )
}

/** What a file gave, said until the box holds something else. */
interface Taken {
  readonly name: string
  readonly found: PromptCheck
  readonly text: string
}

function FromFile({ value, change }: Pick<PromptsBoxProps, 'value' | 'change'>) {
  const [taken, setTaken] = useState<Taken>()
  const [file, setFile] = useState<File>()
  const [column, setColumn] = useState('')
  const { run, isBusy, error } = useAction(async (chosen: File, named: string) => {
    setFile(chosen)
    const found = await client.promptsOfFile(chosen, named === '' ? undefined : named)
    const text = withPrompts(value, found.prompts)
    change(text)
    setTaken({ name: chosen.name, found, text })
    setFile(undefined)
    setColumn('')
  })
  const lacksColumn = file !== undefined && error instanceof StudioError && /\bcolumn\b/.test(error.remedy)
  return (
    <div className="stack tight">
      <DropZone
        accept=".txt,.csv,.tsv,.json,.jsonl,.ndjson"
        label="From a file"
        take={([one]) => one && void run(one, '')}
      >
        {isBusy ? 'Reading …' : '.txt, .csv, .tsv, .json or .jsonl'}
      </DropZone>
      <ErrorNotice error={error} />
      {lacksColumn && (
        <div className="row">
          <label className="row">
            Column
            <input type="text" value={column} dir="auto" onChange={({ target }) => setColumn(target.value)} />
          </label>
          <button
            type="button"
            className="button small"
            disabled={isBusy || column.trim() === ''}
            onClick={() => void run(file, column.trim())}
          >
            Read it
          </button>
        </div>
      )}
      <span className="hint" role="status" dir="auto">
        {taken !== undefined && taken.text === value && fileSentence(taken)}
      </span>
    </div>
  )
}

function fileSentence({ name, found: { prompts, total, repeated } }: Taken): string {
  const left = repeated > 0 ? `; ${plural(repeated, 'repeated one')} left out` : ''
  const rest = total > prompts.length ? `; the first ${prompts.length} of them are taken` : ''
  return `${name}: ${plural(total, 'prompt')}${left}${rest}.`
}

const settleMs = 400

/** What the server says of the prompts, once nobody has typed for a moment. */
function usePromptCheck(texts: readonly string[]): PromptCheck | undefined {
  const [held, setHeld] = useState<{ readonly key: string; readonly found: PromptCheck }>()
  const key = texts.join('\n')
  useEffect(() => {
    if (key === '') return
    let isOver = false
    const timer = setTimeout(() => {
      client.checkPrompts(key.split('\n')).then(
        (found) => void (isOver || setHeld({ key, found })),
        // Whoever orders the images is told what is wrong with them.
        () => undefined,
      )
    }, settleMs)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [key])
  return held?.key === key ? held.found : undefined
}

/** What is left out of the prompts, cut off, or refused. */
function Fate({ text }: { text: string }) {
  const { texts, repeated } = promptLines(text)
  const found = usePromptCheck(texts)
  return (
    <div className="hint stack tight" role="status" dir="auto">
      {repeated > 0 && (
        <span>
          {plural(repeated, 'repeated line')} {repeated === 1 ? 'is' : 'are'} left out: each prompt counts once.
        </span>
      )}
      {texts.length > mostPrompts && (
        <span className="wrong">
          {plural(texts.length, 'prompt')}: {mostPrompts} at most are taken at once.
        </span>
      )}
      {found !== undefined && found.cut !== null && (
        <Named title={cutTitle(found.cut)} count={found.cut.count}>
          {found.cut.named.map(
            ({ prompt, tokens }) => `“${prompt}”: ${tokens} tokens, ${tokens - found.cut!.read} cut off`,
          )}
        </Named>
      )}
      {found !== undefined && found.unreadable.count > 0 && (
        <Named title={`The model refuses ${plural(found.unreadable.count, 'prompt')}:`} count={found.unreadable.count}>
          {found.unreadable.named.map(({ prompt, reason }) => `“${prompt}”: ${reason}`)}
        </Named>
      )}
    </div>
  )
}

const cutTitle = ({ count, read }: NonNullable<PromptCheck['cut']>): string =>
  `${plural(count, 'prompt')} ${count === 1 ? 'is' : 'are'} longer than the ${read} tokens that the model reads; the end is cut off:`

function Named({ title, count, children }: { title: string; count: number; children: readonly string[] }) {
  return (
    <div className="wrong">
      {title}
      <ul>
        {children.map((one, i) => (
          <li key={i}>{one}</li>
        ))}
        {count > children.length && <li>and {count - children.length} more</li>}
      </ul>
    </div>
  )
}
