/** Errors as answers: facts and a remedy, never a stack or a place of this machine. */
import { AttuneError, StudioError, type Complaint } from '../../errors.ts'
import type { Failure } from '../schemas/basics.ts'
import { withoutPlaces, type Workspace } from '../workspace.ts'

const statuses: Readonly<Record<string, number>> = {
  config: 400,
  format: 400,
  vocabulary: 400,
  reward: 400,
  'unknown-record': 404,
  'run-in-use': 409,
  unreachable: 503,
}

interface Refusal {
  readonly status: number
  readonly body: Failure
  readonly retryAfterSeconds?: number | undefined
}

/** What a client is told of an error. Those that are not ours are named to the log only. */
export function refusalOf(error: unknown, workspace: Workspace): Refusal {
  if (error instanceof AttuneError) {
    const status = error instanceof StudioError ? error.status : (statuses[error.code] ?? 500)
    const { code, where, expected, received, remedy } = error
    const clean = (text: string) => withoutPlaces(workspace, text)
    return {
      status,
      retryAfterSeconds: error instanceof StudioError ? error.retryAfterSeconds : undefined,
      body: {
        error: {
          code,
          where: clean(where),
          expected: clean(expected),
          received: clean(received),
          remedy: clean(remedy),
        },
      },
    }
  }
  process.stderr.write(`studio: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return {
    status: 500,
    body: {
      error: {
        code: 'internal',
        where: 'studio',
        expected: 'no error',
        received: 'an internal one',
        remedy: "see the server's own output, and please report it",
      },
    },
  }
}

/** @param code `not-found`, `forbidden` … */
export const refuse = (status: number, code: string, complaint: Complaint) => new StudioError(status, code, complaint)

/** @param seconds after which the same request may do well, > 0 */
export const tooMany = (complaint: Complaint, seconds: number) =>
  new StudioError(429, 'too-many-requests', complaint, Math.max(1, Math.ceil(seconds)))

export const notFound = (what: string) =>
  refuse(404, 'not-found', {
    where: what,
    expected: `a ${what} of this studio`,
    received: 'an unknown one',
    remedy: 'go back to the list, or reload the page',
  })
