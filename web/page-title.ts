import { useEffect } from 'react'
import { useTexts } from './texts/texts.ts'

/** Names the page in the browser's tab; undefined leaves it as it is. */
export function usePageTitle(title: string | undefined): void {
  const { titled } = useTexts().frame
  useEffect(() => {
    if (title !== undefined) document.title = titled(title)
  }, [titled, title])
}
