/** Hashes of passwords: scrypt (RFC 7914), with a salt of each and its cost beside it. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { refuse } from './failures.ts'

/** N = 2^15, r = 8, p = 3: 32 MiB, and about a third of a second of one core: as slow as OWASP asks for with so little memory. */
const cost = { N: 2 ** 15, r: 8, p: 3 }
const keyBytes = 32
const saltBytes = 16
/** Sign-ins that wait for their turn; the next ones are told to come again. */
const mostWaiting = 50

/** `scrypt$32768$8$3$<salt>$<key>`, base64url */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const key = await inTurn(() => derive(password, salt, cost))
  return written(salt, key)
}

const written = (salt: Buffer, key: Buffer) =>
  ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')

/** That nobody has the password of. */
const nobodys = written(randomBytes(saltBytes), randomBytes(keyBytes))

/**
 * Whether a password is the one of a hash. It takes as long where there is none: nobody learns so which names there are.
 *
 * @param kept undefined where the name has no password
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const [, N, r, p, salt, key] = (kept ?? nobodys).split('$')
  const expected = Buffer.from(key, 'base64url')
  const derived = await inTurn(() =>
    derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) }),
  )
  return timingSafeEqual(derived, expected) && kept !== undefined
}

/** The same letters typed on another keyboard are the same password. */
function derive(password: string, salt: Buffer, { N, r, p }: typeof cost): Promise<Buffer> {
  return new Promise((derived, failed) => {
    scrypt(password.normalize('NFKC'), salt, keyBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error === null ? derived(key) : failed(error),
    )
  })
}

let last: Promise<unknown> = Promise.resolve()
let waiting = 0

/** One at a time: whoever guesses has one core and 32 MiB of this machine at most. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= mostWaiting) {
    throw refuse(429, 'busy', {
      where: 'sign-in',
      expected: `at most ${mostWaiting} at once`,
      received: 'more',
      remedy: 'try again in a few seconds',
    })
  }
  waiting++
  const turn = last.then(work)
  last = turn.catch(() => undefined)
  try {
    return await turn
  } finally {
    waiting--
  }
}
