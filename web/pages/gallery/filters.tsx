/** Which images are wanted, and in which order. */
import { useEffect, useState } from 'react'
import type { GalleryPage } from '../../../src/studio/schemas/gallery.ts'
import { policyTitle } from '../../format.ts'
import { useTexts } from '../../texts/texts.ts'
import type { GallerySearch } from './gallery-search.ts'

interface FiltersProps {
  readonly search: GallerySearch
  readonly choices: GalleryPage['choices'] | undefined
  /** Whose scores are shown. */
  readonly reward: string | null
  readonly change: (change: Readonly<Record<string, string>>) => void
}

const typingMs = 300

export function Filters({ search, choices, reward, change }: FiltersProps) {
  const { gallery } = useTexts()
  const { verdicts, sorts, archivedOnes } = gallery
  const of = (names: readonly string[] = [], title = (name: string) => name) =>
    Object.fromEntries(names.map((name) => [name, title(name)]))
  const hasRewards = (choices?.rewards.length ?? 0) > 0
  return (
    <div className="gallery-filters" role="search" aria-label={gallery.images}>
      <TypedField label={gallery.prompt} name="prompt" value={search.prompt} change={change} />
      <Choice label={gallery.round} name="round" value={search.round} options={of(choices?.rounds)} change={change} />
      <Choice
        label={gallery.policy}
        name="policy"
        value={search.policy}
        options={of(choices?.policies, policyTitle)}
        change={change}
      />
      <Choice
        label={gallery.category}
        name="category"
        value={search.category}
        options={Object.fromEntries((choices?.categories ?? []).map((name) => [name, gallery.categories[name]]))}
        change={change}
      />
      <Choice label={gallery.answers} name="verdict" value={search.verdict} options={verdicts} change={change} />
      <Choice label={gallery.rater} name="rater" value={search.rater} options={of(choices?.raters)} change={change} />
      {hasRewards && (
        <>
          <Choice
            label={gallery.reward}
            name="reward"
            value={search.reward}
            options={of(choices?.rewards)}
            any={reward ?? undefined}
            change={change}
          />
          <TypedField label={gallery.rewardFrom} name="from" value={search.from} isNumber change={change} />
          <TypedField label={gallery.rewardTo} name="to" value={search.to} isNumber change={change} />
        </>
      )}
      <Choice
        label={gallery.archive}
        name="archived"
        value={search.archived === 'hidden' ? undefined : search.archived}
        options={{ shown: archivedOnes.shown, only: archivedOnes.only }}
        any={archivedOnes.hidden}
        change={change}
      />
      <Choice
        label={gallery.order}
        name="sort"
        value={search.sort === 'newest' ? undefined : search.sort}
        options={Object.fromEntries(
          Object.entries(sorts).filter(([sort]) => sort !== 'newest' && (hasRewards || sort === 'oldest')),
        )}
        any={sorts.newest}
        change={change}
      />
    </div>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly name: string
  readonly value: string | undefined
  readonly options: Readonly<Record<string, string>>
  /** What is meant where nothing is chosen. */
  readonly any?: string | undefined
  readonly change: FiltersProps['change']
}

function Choice({ label, name, value = '', options, any, change }: ChoiceProps) {
  const { gallery } = useTexts()
  return (
    <div className="field">
      <label htmlFor={`gallery-${name}`}>{label}</label>
      <select id={`gallery-${name}`} value={value} onChange={({ target }) => change({ [name]: target.value })}>
        <option value="">{any ?? gallery.any}</option>
        {value !== '' && !(value in options) && <option value={value}>{value}</option>}
        {Object.entries(options).map(([option, title]) => (
          <option key={option} value={option}>
            {title}
          </option>
        ))}
      </select>
    </div>
  )
}

interface TypedFieldProps {
  readonly label: string
  readonly name: string
  readonly value: string | number | undefined
  readonly isNumber?: boolean
  readonly change: FiltersProps['change']
}

/** A question for each word, not for each letter. */
function TypedField({ label, name, value, isNumber = false, change }: TypedFieldProps) {
  const shown = value === undefined ? '' : String(value)
  const [typed, setTyped] = useState(shown)
  useEffect(() => setTyped(shown), [shown])
  useEffect(() => {
    if (typed.trim() === shown) return
    const timer = setTimeout(() => change({ [name]: typed.trim() }), typingMs)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <div className="field">
      <label htmlFor={`gallery-${name}`}>{label}</label>
      <input
        id={`gallery-${name}`}
        type={isNumber ? 'number' : 'text'}
        step="any"
        value={typed}
        maxLength={200}
        onChange={({ target }) => setTyped(target.value)}
      />
    </div>
  )
}
