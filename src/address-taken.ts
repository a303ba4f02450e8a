import { ConfigError } from './errors.ts'

/** Why a server does not listen. */
export const addressTaken = (
  host: string,
  port: number,
  cause: Pick<NodeJS.ErrnoException, 'code' | 'message'>,
): ConfigError =>
  new ConfigError({
    where: '--port',
    expected: `an address that is free: ${host}:${port}`,
    received: cause.code === 'EADDRINUSE' ? 'one that another program uses' : cause.message,
    remedy: 'choose another with --port, or end that program',
    cause,
  })
