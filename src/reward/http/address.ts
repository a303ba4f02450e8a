/** Addresses of reward servers, as `--reward` names them. */
import { ConfigError } from '../../errors.ts'
import { tokenVariable } from './protocol.ts'

export const isAddress = (name: string): boolean => /^https?:\/\//i.test(name)

/** Whether an address, or one in a composition, has what may be a secret: a user, a password, or a query. */
export const holdsSecrets = (name: string): boolean => /https?:\/\/([^/?#\s,]*@|[^\s,"]*[?#])/i.test(name)

export interface ServerAddress {
  /** Where images are sent. */
  readonly score: string
  /** Where it says which reward it is, beside that. */
  readonly info: string
}

/**
 * An address without a path has its scores at `/score`.
 *
 * @throws {ConfigError} no address, or one with a user, a password, a query or a fragment, which runs would write down
 */
export function addressOf(name: string): ServerAddress {
  const refuse = (received: string, remedy: string) =>
    new ConfigError({
      where: '--reward',
      expected: 'the address of a reward server, http://host:port/score',
      received,
      remedy,
    })
  if (holdsSecrets(name)) {
    const remedy = `put a token into the environment variable ${tokenVariable}: addresses are written into runs`
    throw refuse('one with a user, a password, a query or a fragment', remedy)
  }
  const url = URL.canParse(name) ? new URL(name) : undefined
  if (url === undefined || url.hostname === '') throw refuse(name, 'check the address')
  if (url.pathname === '/') url.pathname = '/score'
  return { score: url.href, info: new URL('info', url).href }
}
