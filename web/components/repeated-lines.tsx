import { plural } from '../format.ts'
import { promptLines } from '../prompt-lines.ts'

/** That some lines of a box of prompts are left out, since they stand there twice. */
export function RepeatedLines({ text }: { text: string }) {
  const { repeated } = promptLines(text)
  return (
    <span className="hint" role="status">
      {repeated > 0 &&
        `${plural(repeated, 'repeated line')} ${repeated === 1 ? 'is' : 'are'} left out: each prompt counts once.`}
    </span>
  )
}
