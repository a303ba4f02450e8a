/** What a person should know of a run that goes on all the same. */
import { placeOfThis } from './place-in-group.ts'

const told = new Set<string>()

/** One line on stderr, once. Processes that do a part of a stage are silent: they would only repeat it. */
export function tellNote(note: string): void {
  if (process.send !== undefined || placeOfThis().rank > 0 || told.has(note)) return
  told.add(note)
  process.stderr.write(`note: ${note}\n`)
}
