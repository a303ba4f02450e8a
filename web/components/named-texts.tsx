import { useTexts } from '../texts/texts.ts'

interface NamedTextsProps {
  readonly title: string
  /** All there are; some of them are named. */
  readonly count: number
  readonly isWrong?: boolean
  readonly children: readonly string[]
}

/** Some of many, by name. */
export function NamedTexts({ title, count, isWrong = false, children }: NamedTextsProps) {
  const { prompts } = useTexts()
  return (
    <div className={isWrong ? 'wrong' : undefined}>
      {title}
      <ul>
        {children.map((one, i) => (
          <li key={i}>{one}</li>
        ))}
        {count > children.length && <li>{prompts.more(count - children.length)}</li>}
      </ul>
    </div>
  )
}
