/** Why an answer was given: reasons belong to the answer just given, whose images stand beside them. */
import type { ReactNode } from 'react'
import type { Guidelines, NewJudgment } from '../../../src/studio/schemas/labelling.ts'
import { Picture } from '../../components/picture.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import { useKeys } from './keys.ts'
import type { GivenAnswer, Session } from './turn.ts'

/** Keys that no way of asking uses. */
const letters = ['q', 'w', 'e', 'r', 'y', 'z', 'x', 'c', 'v']

interface ReasonsProps {
  readonly session: Pick<Session<unknown>, 'justGiven' | 'explain'>
  /** Of the task that is on the screen. */
  readonly current: string | undefined
  readonly reasons: Guidelines['reasons']
}

/** Of the answer just given, until the next one; never asked for, always welcome. */
export function Reasons({ session: { justGiven, explain }, current, reasons }: ReasonsProps) {
  const { reasons: texts } = useTexts().label
  const explained = justGiven.filter(({ judgment }) => isExplained(judgment))
  if (explained.length === 0) {
    return (
      <Chips reasons={reasons} picked={[]}>
        {texts.after}
      </Chips>
    )
  }
  const title = texts.optional(titleOf(texts, explained, explained[0].task.id === current))
  return (
    <Chips reasons={reasons} picked={explained[0].judgment.reasons ?? []} pick={explain} label={title}>
      <Thumbnails given={explained} />
      {title}
    </Chips>
  )
}

/** What has failed can be said why. */
const isExplained = ({ kind, answer }: NewJudgment): boolean =>
  kind === 'good-bad-skip' ? answer === 'bad' : kind === 'pair' && answer !== 'skip' && answer !== 'tie'

/** @param isHere the images are still on the screen, with their numbers */
function titleOf(texts: Texts['label']['reasons'], given: readonly GivenAnswer[], isHere: boolean): string {
  const [{ judgment, task }] = given
  if (judgment.kind === 'pair') {
    if (judgment.answer === 'both-bad') return texts.bothBad
    return judgment.answer === 'first' ? texts.leftBetter : texts.rightBetter
  }
  if (given.length > 1) return texts.severalBad(given.length)
  const place = task.images.findIndex(({ id }) => id === judgment.images[0])
  return isHere && task.images.length > 1 ? texts.imageBad(place + 1) : texts.thisBad
}

/** The images that were judged; of a pair the better one is marked. */
function Thumbnails({ given }: { given: readonly GivenAnswer[] }) {
  const { theBetterOne, justJudged } = useTexts().label.reasons
  return (
    <span className="thumbnails">
      {given.flatMap(({ judgment, task }) =>
        judgment.images.flatMap((id, side) => {
          const image = task.images.find((one) => one.id === id)
          const isBetter = judgment.kind === 'pair' && judgment.answer === (side === 0 ? 'first' : 'second')
          return image === undefined
            ? []
            : [
                <span key={id} className="thumbnail" data-better={isBetter || undefined}>
                  <Picture image={image} shown={64} alt={isBetter ? theBetterOne : justJudged} />
                </span>,
              ]
        }),
      )}
    </span>
  )
}

interface ChipsProps {
  readonly reasons: Guidelines['reasons']
  readonly picked: readonly string[]
  /** Without it there is nothing to choose a reason for. */
  readonly pick?: (codes: readonly string[]) => void
  readonly label?: string
  readonly children: ReactNode
}

/** Reasons to choose from, each with a key. */
export function Chips({ reasons, picked, pick, label, children }: ChipsProps) {
  const { title } = useTexts().label.reasons
  const toggle = (code: string) =>
    pick?.(picked.includes(code) ? picked.filter((one) => one !== code) : [...picked, code])
  useKeys(Object.fromEntries(reasons.slice(0, letters.length).map(({ code }, i) => [letters[i], () => toggle(code)])))
  if (reasons.length === 0) return null
  return (
    <div className="reasons" role="group" aria-label={label ?? title}>
      <span className="reasons-of soft small">{children}</span>
      <div className="chips">
        {reasons.map(({ code, label: text }, i) => (
          <button
            key={code}
            type="button"
            className="chip"
            aria-pressed={picked.includes(code)}
            disabled={pick === undefined}
            onClick={() => toggle(code)}
            dir="auto"
          >
            {text}
            {i < letters.length && <kbd className="on-chip">{letters[i].toUpperCase()}</kbd>}
          </button>
        ))}
      </div>
    </div>
  )
}
