import { useEffect, type ReactNode } from 'react'

/** The title of a page, also in the browser's tab. */
export function PageHead({ title, children, side }: { title: string; children?: ReactNode; side?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Attune studio`
  }, [title])
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
