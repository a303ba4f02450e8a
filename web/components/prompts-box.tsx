/** A box of prompts, one a line, typed, made from words or of a file, with what would become of them when they are drawn. */
import { useEffect, useState } from 'react'
import { mostPrompts, type PromptCheck } from '../../src/studio/schemas/prompts.ts'
import { client } from '../api.ts'
import { promptLines } from '../prompt-lines.ts'
import { useTexts } from '../texts/texts.ts'
import { NamedTexts } from './named-texts.tsx'
import { PromptsFromFile } from './prompts-from-file.tsx'
import { PromptsFromWords } from './prompts-from-words.tsx'

interface PromptsBoxProps {
  readonly id: string
  readonly value: string
  readonly change: (value: string) => void
  readonly placeholder: string
  readonly describedBy?: string
  readonly isWrong?: boolean
}

export function PromptsBox({ id, value, change, placeholder, describedBy, isWrong }: PromptsBoxProps) {
  const { prompts } = useTexts()
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
      <span className="hint">{prompts.choices}</span>
      <PromptsFromWords value={value} change={change} />
      <PromptsFromFile value={value} change={change} />
      <Fate text={value} />
    </>
  )
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

/** What is left out of the prompts, cut off, or refused; and what a reward would be shown beside them. */
function Fate({ text }: { text: string }) {
  const { prompts } = useTexts()
  const { texts, repeated, choosing, broken } = promptLines(text)
  const found = usePromptCheck(texts)
  const { cut, unreadable } = found ?? { cut: null, unreadable: { count: 0, named: [] } }
  // Of choices that are too many, not all are made.
  const total = Math.max(texts.length, choosing.prompts)
  return (
    <>
      <div className="hint stack tight" role="status" dir="auto">
        {choosing.lines > 0 && <span>{prompts.choosing(choosing.lines, choosing.prompts)}</span>}
        {broken.slice(0, 3).map((line) => (
          <span key={line}>{prompts.broken(line)}</span>
        ))}
        {repeated > 0 && <span>{prompts.repeated(repeated)}</span>}
        {texts.length > mostPrompts && <span className="wrong">{prompts.tooMany(total, mostPrompts)}</span>}
        {cut !== null && (
          <NamedTexts title={prompts.cut(cut.count, cut.read)} count={cut.count} isWrong>
            {cut.named.map(({ prompt, tokens }) => prompts.cutOne(prompt, tokens, tokens - cut.read))}
          </NamedTexts>
        )}
        {unreadable.count > 0 && (
          <NamedTexts title={prompts.refused(unreadable.count)} count={unreadable.count} isWrong>
            {unreadable.named.map(({ prompt, reason }) => prompts.refusedOne(prompt, reason))}
          </NamedTexts>
        )}
      </div>
      {found !== undefined && found.distractors.length > 0 && <Distractors found={found} />}
    </>
  )
}

function Distractors({ found: { distractors, total } }: { found: PromptCheck }) {
  const { prompts } = useTexts()
  return (
    <details className="stack tight">
      <summary>{prompts.distractors}</summary>
      <p className="hint">{prompts.distractorsWhy}</p>
      <dl className="distractors" dir="auto" tabIndex={0}>
        {distractors.map(({ prompt, texts }) => (
          <div key={prompt}>
            <dt>{prompt}</dt>
            <dd className="soft small">{texts.length === 0 ? prompts.noDistractors : texts.join(' · ')}</dd>
          </div>
        ))}
      </dl>
      {total > distractors.length && <p className="hint">{prompts.firstOf(distractors.length, total)}</p>}
    </details>
  )
}
