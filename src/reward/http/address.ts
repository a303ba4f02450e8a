/** Addresses of reward servers, as `--reward` names them. */
import { ConfigError } from '../../errors.ts'

export const isAddress = (name: string): boolean => /^https?:\/\//i.test(name)

/** Whether a name, or a part of a composition, holds a user or password in front of a host. */
export const holdsCredentials = (name: string): boolean => /https?:\/\/[^/?#\s]*@/i.test(name)

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
  const url = URL.canParse(name) ? new URL(name) : undefined
  const refuse = (received: string, remedy: string) =>
    new ConfigError({ where: '--reward', expected: 'the address of a reward server, http://host:port/score', received, remedy }) // prettier-ignore
  if (holdsCredentials(name) || url?.username || url?.password) {
    throw refuse('one with a user or a password', `give a token in the environment variable ATTUNE_REWARD_TOKEN: addresses are written into runs`) // prettier-ignore
  }
  if (url === undefined || url.hostname === '') throw refuse(name, 'check the address')
  if (url.search !== '' || url.hash !== '') {
    throw refuse(
      'one with a query or a fragment',
      'name the place of the scores alone; a token goes into ATTUNE_REWARD_TOKEN',
    )
  }
  if (url.pathname === '/') url.pathname = '/score'
  return { score: url.href, info: new URL('info', url).href }
}
