import type { ReactNode } from 'react'
import { usePageTitle } from '../page-title.ts'

/** The title of a page, also in the browser's tab. */
export function PageHead({ title, children, side }: { title: string; children?: ReactNode; side?: ReactNode }) {
  usePageTitle(title)
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
