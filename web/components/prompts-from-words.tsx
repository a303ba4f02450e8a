/** Lines of prompts by category, from the words that the model knows or from one's own. */
import { useId, useState } from 'react'
import type { PromptWords } from '../../src/studio/schemas/prompts.ts'
import { client } from '../api.ts'
import { promptLines } from '../prompt-lines.ts'
import {
  objectsAsTyped,
  objectsTyped,
  templateCategories,
  templateLines,
  wordsTyped,
  type TemplateCategory,
} from '../prompt-templates.ts'
import { useRemote } from '../remote.ts'
import { useTexts } from '../texts/texts.ts'
import { Loaded } from './notice.tsx'

interface PromptsFromWordsProps {
  readonly value: string
  readonly change: (value: string) => void
}

export function PromptsFromWords(props: PromptsFromWordsProps) {
  const { prompts } = useTexts()
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{prompts.fromWords}</summary>
      {isOpen && <Words {...props} />}
    </details>
  )
}

const lists = ['objects', 'colors', 'counts', 'backgrounds'] as const
type Typed = Readonly<Record<(typeof lists)[number], string>>

const asTyped = ({ objects, colors, counts, backgrounds }: PromptWords): Typed => ({
  objects: objectsAsTyped(objects),
  colors: colors.join(', '),
  counts: counts.join(', '),
  backgrounds: backgrounds.join(', '),
})

function Words(props: PromptsFromWordsProps) {
  const words = useRemote(() => client.promptWords(), ['prompt-words'])
  return (
    <Loaded remote={words} heights={[120]}>
      {(known) => <WordLists known={asTyped(known)} {...props} />}
    </Loaded>
  )
}

function WordLists({ known, value, change }: PromptsFromWordsProps & { known: Typed }) {
  const { prompts } = useTexts()
  const id = useId()
  const [typed, setTyped] = useState<Partial<Typed>>({})
  const { objects, colors, counts, backgrounds } = { ...known, ...typed }
  const words: PromptWords = {
    objects: objectsTyped(objects),
    colors: wordsTyped(colors),
    counts: wordsTyped(counts),
    backgrounds: wordsTyped(backgrounds),
  }
  const add = (category: TemplateCategory) => {
    const lines = templateLines(category, words)
    change([...(value.trim() === '' ? [] : [value.trimEnd()]), ...lines].join('\n'))
  }
  return (
    <div className="stack tight">
      <div className="columns">
        {lists.map((list) => (
          <div key={list} className="field">
            <label htmlFor={`${id}-${list}`}>{prompts.words[list]}</label>
            <input
              id={`${id}-${list}`}
              type="text"
              autoComplete="off"
              value={typed[list] ?? known[list]}
              maxLength={2000}
              dir="auto"
              onChange={({ target }) => setTyped({ ...typed, [list]: target.value })}
            />
          </div>
        ))}
      </div>
      <div className="row">
        {templateCategories.map((category) => {
          const { texts, choosing } = promptLines(templateLines(category, words).join('\n'))
          const count = Math.max(texts.length, choosing.prompts)
          return (
            <button
              key={category}
              type="button"
              className="button small"
              disabled={count === 0}
              onClick={() => add(category)}
            >
              {prompts.add(prompts.categories[category], count)}
            </button>
          )
        })}
      </div>
      <span className="hint">{prompts.addWhy}</span>
    </div>
  )
}
