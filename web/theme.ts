/** Light, dark, or as the machine says; kept between visits. */
import { useSyncExternalStore } from 'react'
import { readStored, writeStored } from './stored.ts'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'attune.theme'
const listeners = new Set<() => void>()
const machine = matchMedia('(prefers-color-scheme: dark)')
const chosen = (): Theme => themes.find((theme) => theme === readStored(key)) ?? 'system'

function apply(): void {
  const theme = chosen()
  document.documentElement.dataset.theme = theme === 'system' ? (machine.matches ? 'dark' : 'light') : theme
  for (const listener of listeners) listener()
}
machine.addEventListener('change', apply)
apply()

export function setTheme(theme: Theme): void {
  writeStored(key, theme)
  apply()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** What was chosen. */
export const useTheme = (): Theme => useSyncExternalStore(subscribe, chosen)
/** What is seen: charts are drawn anew when it changes. */
export const useSeenTheme = (): string =>
  useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme ?? 'light')
