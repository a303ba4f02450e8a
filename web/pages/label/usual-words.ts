/** The guidelines in the language that is shown, as long as nobody has written others; those of an admin stay as they are. */
import type { ShownGuidelines } from '../../../src/studio/schemas/labelling.ts'
import type { Texts } from '../../texts/en.ts'

export function inWordsOf(
  { usual }: Pick<Texts, 'usual'>,
  { text, reasons, consent, examples }: ShownGuidelines,
): ShownGuidelines {
  const lines = text.split('\n')
  const areUsual = lines.every((line) => line.trim() === '' || usual[line] !== undefined)
  return {
    text: areUsual ? lines.map((line) => usual[line] ?? line).join('\n') : text,
    reasons: reasons.map(({ code, label }) => ({ code, label: usual[label] ?? label })),
    consent,
    examples: examples.map((example) => ({ ...example, note: usual[example.note] ?? example.note })),
  }
}
