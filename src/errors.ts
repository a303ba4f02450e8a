/**
 * Every error that Attune throws. Each has a stable `code`, the facts as fields and a message of one form:
 * *where: expected …, received … — what to do*.
 */

/** The facts of a complaint; the message is made from them. */
export interface Complaint {
  /** What is being looked at: `labels.csv:41 image`, `conv2d weight`, `--kl-weight`. */
  readonly where: string
  readonly expected: string
  readonly received: string
  /** What the reader can do about it, as one clause. */
  readonly remedy: string
  readonly cause?: unknown
}

const longest = 800

/** What came from a file may be megabytes on many lines; a terminal would obey what it says. */
function oneLine(text: string): string {
  return plain(text.length > longest ? `${text.slice(0, longest)} … (${text.length} characters)` : text)
}

/** The beginning of a user's text on one line, harmless to a terminal. */
export function shownText(text: string, most: number): string {
  return plain(text.length > most ? `${text.slice(0, most)}…` : text)
}

const plain = (text: string) => text.toWellFormed().replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')

/**
 * What a process ends with that was to end by no fault of its own, and may be started again to go on from its checkpoint:
 * after a scheduler's SIGTERM, or because another process of its group has ended. It is what a shell shows of a process that
 * SIGTERM has ended (128 + 15); Kubeflow starts pods again that end with 128 or more, and not those that end with less.
 */
export const endedFromOutside = 143

/** 1 our fault, 2 the user's. */
export type ExitCode = 1 | 2 | typeof endedFromOutside

/** Base of all errors of Attune. `exitCode` is what the command line ends with. */
export abstract class AttuneError extends Error {
  abstract readonly code: string
  readonly exitCode: ExitCode = 2
  readonly where: string
  readonly expected: string
  readonly received: string
  readonly remedy: string

  constructor(complaint: Complaint) {
    const [where, expected, received, remedy] = [
      complaint.where,
      complaint.expected,
      complaint.received,
      complaint.remedy,
    ].map(oneLine)
    super(
      `${where}: expected ${expected}, received ${received} — ${remedy}`,
      complaint.cause === undefined ? undefined : { cause: complaint.cause },
    )
    this.name = new.target.name
    this.where = where
    this.expected = expected
    this.received = received
    this.remedy = remedy
  }
}

/** A flag or a field of a config file is unknown or has a value that makes no sense. */
export class ConfigError extends AttuneError {
  readonly code = 'config'
}

/** A file or folder is missing, unreadable, or cannot be written (a full disk, for one). */
export class FileError extends AttuneError {
  readonly code = 'file'
}

/** A database server does not answer, or has broken off: the same request may do well later. */
export class UnreachableError extends AttuneError {
  readonly code = 'unreachable'
}

/** A file was read, but its content is broken: a bad CSV row, truncated weights, a foreign format. */
export class FormatError extends AttuneError {
  readonly code = 'format'
}

/** A record names a parent that is not there: an unknown image id, prompt or run. */
export class UnknownRecordError extends AttuneError {
  readonly code = 'unknown-record'
}

/** A download is refused, breaks off, or brings something else than was announced. */
export class DownloadError extends AttuneError {
  readonly code = 'download'
}

/** An upload to a hub is refused or breaks off. */
export class UploadError extends AttuneError {
  readonly code = 'upload'
}

/** A prompt uses words that the model has never seen. */
export class VocabularyError extends AttuneError {
  readonly code = 'vocabulary'
}

/** Labels or a reward from which nothing can be learned: one class only, constant, or not finite. */
export class RewardError extends AttuneError {
  readonly code = 'reward'
}

/** Another process is writing this run folder, or it already holds another run. */
export class RunInUseError extends AttuneError {
  readonly code = 'run-in-use'
}

/** A noise schedule or sampler that has no policy: no stochastic step, or ᾱ_T = 0 with ε-prediction. */
export class ScheduleError extends AttuneError {
  readonly code = 'schedule'
}

/** A tensor has another shape than the function needs. */
export class ShapeError extends AttuneError {
  readonly code = 'shape'
  override readonly exitCode = 1
}

/** An operator was called with something it does not take: wrong type, a disposed tensor, sizes that do not fit. */
export class TensorError extends AttuneError {
  readonly code = 'tensor'
  override readonly exitCode = 1
}

/** The tensor library or the add-on is missing or cannot be loaded. */
export class LibraryError extends AttuneError {
  readonly code = 'library'
}

/** There is not enough memory, of a GPU or of the machine: the same with fewer at once may do well. */
export class OutOfMemoryError extends AttuneError {
  readonly code = 'memory'
}

/** Training left the finite numbers. */
export class DivergenceError extends AttuneError {
  readonly code = 'divergence'
}

/** A policy under training does not say of an action what it said as it drew it, before anything has changed. */
export class RatioError extends AttuneError {
  readonly code = 'ratio'
  override readonly exitCode = 1
}

/** Of what a check of the machine tries, something failed or could not be tried. */
export class CheckError extends AttuneError {
  readonly code = 'check'
}

/** Of the processes that train as one, another has ended or does not answer: this one can only end as well. */
export class GroupError extends AttuneError {
  readonly code = 'group'
  override readonly exitCode = endedFromOutside
}

/** A process was asked to end, and did so where it can be gone on with. */
export class StoppedError extends AttuneError {
  readonly code = 'stopped'
  override readonly exitCode = endedFromOutside
}

/** A process that works for this one ended without a result, or with a complaint of its own. */
export class ProcessError extends AttuneError {
  readonly code = 'process'
  override readonly exitCode: ExitCode

  constructor(complaint: Complaint, exitCode: ExitCode = 1) {
    super(complaint)
    this.exitCode = exitCode
  }
}

/**
 * A request to the studio that was refused: thrown by the server's routes, and again by the client that hears of it.
 * `status` is that of HTTP; 0 where no server answered.
 */
export class StudioError extends AttuneError {
  readonly code: string
  readonly status: number
  /** When the same request may do well, where that is known. */
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, code: string, complaint: Complaint, retryAfterSeconds?: number) {
    super(complaint)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** The server cannot be reached at present: the same request may do well later. */
  get isOffline(): boolean {
    return [0, 502, 503, 504].includes(this.status)
  }
}

const classes = {
  config: ConfigError,
  file: FileError,
  format: FormatError,
  'run-in-use': RunInUseError,
  'unknown-record': UnknownRecordError,
  unreachable: UnreachableError,
  vocabulary: VocabularyError,
}

/** The error that another process has thrown, by its code; one of another kind becomes a {@link ProcessError}. */
export function errorOf(code: string, complaint: Complaint): AttuneError {
  const Known = Object.hasOwn(classes, code) ? classes[code as keyof typeof classes] : undefined
  return Known === undefined ? new ProcessError(complaint) : new Known(complaint)
}
