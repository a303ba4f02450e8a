/** Reasons as raters read them; data has their codes. */
import { client } from './api.ts'
import { inWordsOf } from './pages/label/usual-words.ts'
import { useRemote } from './remote.ts'
import { useTexts } from './texts/texts.ts'

/** A code that the guidelines do not have any more stands for itself. */
export function useReasonLabels(): (code: string) => string {
  const texts = useTexts()
  const { value } = useRemote(() => client.guidelines(), ['guidelines'])
  const reasons = value === undefined ? [] : inWordsOf(texts, value).reasons
  return (code) => reasons.find((one) => one.code === code)?.label ?? code
}
