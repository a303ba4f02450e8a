import { Fragment, type ReactNode } from 'react'

/** Plain text as `Guidelines` describes it: paragraphs, lists of lines with "- ", headings with "# ". */
export function GuidelinesText({ text }: { text: string }) {
  const blocks = text.split(/\n\s*\n/).flatMap((block) => (block.trim() === '' ? [] : [block.trim().split('\n')]))
  return (
    <div className="prose" dir="auto">
      {blocks.map((lines, i) => (
        <Fragment key={i}>{blockOf(lines)}</Fragment>
      ))}
    </div>
  )
}

function blockOf(lines: readonly string[]): ReactNode[] {
  const parts: ReactNode[] = []
  let list: string[] = []
  let words: string[] = []
  const flush = () => {
    if (list.length > 0) {
      parts.push(
        <ul>
          {list.map((line, i) => (
            <li key={i}>{line}</li>
          ))}
        </ul>,
      )
    }
    if (words.length > 0) parts.push(<p>{words.join(' ')}</p>)
    list = []
    words = []
  }
  for (const line of lines) {
    if (line.startsWith('- ')) {
      if (words.length > 0) flush()
      list.push(line.slice(2))
    } else {
      if (list.length > 0) flush()
      if (line.startsWith('# ')) {
        flush()
        parts.push(<h3>{line.slice(2)}</h3>)
      } else words.push(line)
    }
  }
  flush()
  return parts.map((part, i) => <Fragment key={i}>{part}</Fragment>)
}
