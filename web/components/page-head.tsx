import { useEffect, type ReactNode } from 'react'
import { useTexts } from '../texts/texts.ts'

/** The title of a page, also in the browser's tab. */
export function PageHead({ title, children, side }: { title: string; children?: ReactNode; side?: ReactNode }) {
  const { titled } = useTexts().frame
  useEffect(() => {
    document.title = titled(title)
  }, [titled, title])
  return (
    <header className="page-head">
      <div>
        <h1 dir="auto">{title}</h1>
        {children !== undefined && <p>{children}</p>}
      </div>
      {side}
    </header>
  )
}
