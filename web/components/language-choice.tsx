import { languages } from '../texts/speech.ts'
import { languageTitles, setLanguage, useLanguage, useTexts } from '../texts/texts.ts'
import { Tabs } from './tabs.tsx'

/** The language of the pages. One that does not arrive is not shown: the choice stays as it was. */
export function LanguageChoice() {
  const { frame } = useTexts()
  return (
    <Tabs
      label={frame.language}
      value={useLanguage()}
      options={languages.map((value) => ({ value, label: languageTitles[value] }))}
      choose={(language) => void setLanguage(language).catch(() => undefined)}
    />
  )
}
