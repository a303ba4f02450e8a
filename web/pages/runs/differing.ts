/** By which settings runs can be told apart. */
import type { SettingValue } from '../../../src/studio/schemas/jobs.ts'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { texts } from '../../texts/texts.ts'

/** Names of the settings that are not equal among runs, in the order of the first run that has them. None of less than two. */
export function differingSettings(runs: readonly Pick<RunRow, 'settings'>[]): string[] {
  const names = new Set(runs.flatMap(({ settings }) => Object.keys(settings)))
  return [...names].filter((name) => new Set(runs.map(({ settings }) => JSON.stringify(settings[name]))).size > 1)
}

const mostOfList = 3

/** A value in the cell of a table. */
export function cellText(value: SettingValue | undefined): string {
  if (value === undefined) return '–'
  if (value === null) return texts().settings.automatic
  if (!Array.isArray(value)) return String(value)
  const shown = value.slice(0, mostOfList).join(', ')
  return value.length > mostOfList ? texts().runs.andMore(shown, value.length - mostOfList) : shown
}
