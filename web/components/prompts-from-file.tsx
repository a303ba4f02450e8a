/** Prompts of a file: looked at first, and what is left out of them, before they come into the box. */
import { useState } from 'react'
import { StudioError } from '../../src/errors.ts'
import { mostPrompts, type PromptsOfFile } from '../../src/studio/schemas/prompts.ts'
import { client } from '../api.ts'
import { withPrompts } from '../prompt-lines.ts'
import { useAction } from '../remote.ts'
import { useTexts } from '../texts/texts.ts'
import { DropZone } from './drop-zone.tsx'
import { NamedTexts } from './named-texts.tsx'
import { ErrorNotice } from './notice.tsx'

interface PromptsFromFileProps {
  readonly value: string
  readonly change: (value: string) => void
}

/** What a file gave, until it is taken or left. */
interface Found {
  readonly name: string
  readonly of: PromptsOfFile
}

const fewShown = 8

export function PromptsFromFile({ value, change }: PromptsFromFileProps) {
  const { prompts } = useTexts()
  const [found, setFound] = useState<Found>()
  const [file, setFile] = useState<File>()
  const [column, setColumn] = useState('')
  const { run, isBusy, error } = useAction(async (chosen: File, named: string) => {
    setFile(chosen)
    setFound(undefined)
    const of = await client.promptsOfFile(chosen, named === '' ? undefined : named)
    setFound({ name: chosen.name, of })
    setFile(undefined)
    setColumn('')
  })
  const lacksColumn = file !== undefined && error instanceof StudioError && /\bcolumn\b/.test(error.remedy)
  return (
    <div className="stack tight">
      <DropZone
        accept=".txt,.csv,.tsv,.json,.jsonl,.ndjson"
        label={prompts.fromFile}
        take={([one]) => one && void run(one, '')}
      >
        {isBusy ? prompts.reading : <code>.txt, .csv, .tsv, .json, .jsonl</code>}
      </DropZone>
      <ErrorNotice error={error} />
      {lacksColumn && (
        <div className="row">
          <label className="row">
            {prompts.column}
            <input type="text" value={column} dir="auto" onChange={({ target }) => setColumn(target.value)} />
          </label>
          <button
            type="button"
            className="button small"
            disabled={isBusy || column.trim() === ''}
            onClick={() => void run(file, column.trim())}
          >
            {prompts.readIt}
          </button>
        </div>
      )}
      {found !== undefined && (
        <Preview
          found={found}
          leave={() => setFound(undefined)}
          take={() => {
            change(withPrompts(value, found.of.prompts))
            setFound(undefined)
          }}
        />
      )}
    </div>
  )
}

function Preview({ found: { name, of }, take, leave }: { found: Found; take: () => void; leave: () => void }) {
  const { prompts } = useTexts()
  const { again, wrong, repeated, total, negatives } = of
  return (
    <div className="card stack tight" role="status" dir="auto">
      <NamedTexts title={prompts.foundIn(name, total)} count={total}>
        {of.prompts.slice(0, fewShown)}
      </NamedTexts>
      {total > mostPrompts && <span className="wrong">{prompts.onlyFirst(mostPrompts)}</span>}
      {negatives > 0 && <span className="wrong">{prompts.negatives(negatives)}</span>}
      {repeated > 0 && (
        <NamedTexts title={prompts.again(repeated)} count={repeated}>
          {again.map(({ line, text }) => prompts.line(line, text))}
        </NamedTexts>
      )}
      {wrong.count > 0 && (
        <NamedTexts title={prompts.wrong(wrong.count)} count={wrong.count} isWrong>
          {wrong.named.map(({ line, text }) => prompts.line(line, text))}
        </NamedTexts>
      )}
      <div className="row">
        <button type="button" className="button small primary" onClick={take}>
          {prompts.addThese(of.prompts.length)}
        </button>
        <button type="button" className="button small" onClick={leave}>
          {prompts.notThese}
        </button>
      </div>
    </div>
  )
}
