/** Progress on one line of stderr, with rate and time left. */
import { placeOfThis } from './place-in-group.ts'

interface Progress {
  /** `count` were done before this process: they count, but tell nothing of its speed. */
  skip(count: number): void
  /** `count` more are done; `note` (`reward 0.61`) stands at the end of the line. */
  advance(count?: number, note?: string): void
  /** Ends the line with the total time. */
  done(note?: string): void
}

/** Where the line goes: the part of a writable stream that is used. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const terminalEveryMs = 100
/** The studio, which reads the log, asks for more lines. */
const logEveryMs = Number(process.env.ATTUNE_LOG_EVERY_MS ?? 10_000)

/**
 * A progress line: rewritten in place on a terminal (at most 10 times a second), else one line every 10 s.
 *
 * @param label `dpok seed 1`
 * @param total how many steps there are
 * @param unit  `images`, `updates`
 */
export function progress(
  label: string,
  total: number,
  unit = 'it',
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const began = now()
  const terminal = stream.isTTY === true
  let count = 0
  let skipped = 0
  let shown = terminal ? -Infinity : began
  let lastNote = ''

  const line = () => {
    const seconds = (now() - began) / 1000
    const rate = seconds > 0 ? (count - skipped) / seconds : 0
    const left = rate > 0 ? `, ${clock((total - count) / rate)} left` : ''
    const share = total > 0 ? Math.floor((100 * count) / total) : 100
    return `${label}: ${count}/${total} ${unit} ${share} % ${rate.toFixed(rate < 10 ? 2 : 0)}/s${left}${lastNote}`
  }
  // Of processes that work as one, the first one shows what all do.
  const isShown = placeOfThis().rank === 0
  const show = (text: string, end: string) => {
    if (!isShown) return
    stream.write(terminal ? `\r\x1b[2K${text.slice(0, (stream.columns ?? 120) - 1)}${end}` : `${text}\n`)
  }
  return {
    skip(more) {
      count += more
      skipped += more
    },
    advance(more = 1, note) {
      count += more
      if (note !== undefined) lastNote = ` ${note}`
      if (now() - shown < (terminal ? terminalEveryMs : logEveryMs)) return
      shown = now()
      show(line(), '')
    },
    done(note) {
      if (note !== undefined) lastNote = ` ${note}`
      show(`${label}: ${count - skipped} ${unit} in ${clock((now() - began) / 1000)}${lastNote}`, '\n')
    },
  }
}

/** 75 → `1:15`, 3675 → `1:01:15`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const [first, ...rest] = parts[0] > 0 ? parts : parts.slice(1)
  return [first, ...rest.map((part) => String(part).padStart(2, '0'))].join(':')
}
