/** The texts of the pages in the language that a person chose; English comes with the pages, others when they are chosen. */
import { useSyncExternalStore } from 'react'
import { readStored, writeStored } from '../stored.ts'
import { en, type Texts } from './en.ts'
import { english, german, languages, type Language, type Speech } from './speech.ts'

interface Tongue {
  readonly speech: Speech
  readonly texts: Texts
}

/** As each calls itself. */
export const languageTitles: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' }

const loads: Readonly<Record<Language, () => Promise<Tongue>>> = {
  en: () => Promise.resolve({ speech: english, texts: en }),
  de: async () => ({ speech: german, texts: (await import('./de.ts')).de }),
}

const key = 'attune.language'
const listeners = new Set<() => void>()
let shown: Tongue = { speech: english, texts: en }

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Of components: they are drawn anew when another language is chosen. */
export const useTexts = (): Texts => useSyncExternalStore(subscribe, texts)
export const useLanguage = (): Language => useSyncExternalStore(subscribe, () => shown.speech.language)
/** Outside of components, at the moment. */
export const texts = (): Texts => shown.texts
export const speech = (): Speech => shown.speech

/** @returns the first of `wanted` (`de-AT`, `fr`) that there are texts in; English where there is none */
export function languageAmong(wanted: readonly string[]): Language {
  for (const one of wanted) {
    const [language] = one.toLowerCase().split('-')
    const known = languages.find((other) => other === language)
    if (known !== undefined) return known
  }
  return 'en'
}

async function show(language: Language): Promise<void> {
  shown = await loads[language]()
  document.documentElement.lang = language
  for (const listener of listeners) listener()
}

/** Shows a language and keeps it for the next visits. */
export async function setLanguage(language: Language): Promise<void> {
  await show(language)
  writeStored(key, language)
}

/** Before the first page: the language kept here, else the first of the browser's own. English where it cannot be had. */
export async function startSpeaking(): Promise<void> {
  const kept = languages.find((language) => language === readStored(key))
  await show(kept ?? languageAmong(navigator.languages)).catch(() => show('en'))
}
