/** Kysely's PostgreSQL dialect, with transactions that wait for each other as those of SQLite do. */
import { Pool, type PoolClient } from 'pg'
import {
  CompiledQuery,
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type Driver,
  type PostgresDialectConfig,
  type PostgresPool,
  type PostgresPoolClient,
  type TransactionSettings,
} from 'kysely'
import { FileError, UnreachableError } from '../../errors.ts'

/** Any number will do that all processes agree upon. */
export const writeLock = 23_056_381

/**
 * A dialect over a PostgreSQL server. A transaction takes one lock of the database when it begins: writers wait for each
 * other, and rows become visible in the order of their numbers. Reads outside of transactions never wait, nor does a
 * transaction that reads only.
 *
 * @param url  `postgres://user:password@host:port/database`, or with `?host=/folder` for a socket
 */
export function postgresDialect(url: string): PostgresDialect {
  const pool = new Pool({ connectionString: url, max: 8, connectionTimeoutMillis: 10_000 })
  // an idle connection was cut: the next query opens another one, and says so where it cannot
  pool.on('error', () => undefined)
  return new LockingDialect({ pool: adapted(pool, addressOf(url)) })
}

/** The address without the password. */
export function addressOf(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1').replace(/([?&]password=)[^&]*/, '$1…')
}

class LockingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new LockingDriver(this.#config)
  }
}

class LockingDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.accessMode === 'read only') return await super.beginTransaction(connection, settings)
    // In one message: others wait for the lock meanwhile.
    await connection.executeQuery(CompiledQuery.raw(`begin; select pg_advisory_xact_lock(${writeLock})`))
  }
}

/** The pool with complaints in Attune's words, and without the connections that the server has cut. */
function adapted(pool: Pool, where: string): PostgresPool {
  const earlier = new WeakSet<PoolClient>()
  // one that is cut while it is in use: its query fails, which is enough
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    async connect() {
      let client: PoolClient | undefined = await translated(where, () => pool.connect())
      let isUnused = true
      let isLost = false

      async function query(text: string, values: readonly unknown[]): Promise<unknown> {
        // nothing has happened yet that could happen twice
        const canRepeat = isUnused && /^(begin|select)\b/i.test(text)
        isUnused = false
        for (;;) {
          client ??= await pool.connect()
          try {
            return await client.query(text, [...values])
          } catch (error) {
            isLost = isLostConnection(error)
            // one of earlier use may have been cut while it lay idle; one that was made just now tells how things are
            if (!isLost || !canRepeat || !earlier.has(client)) throw error
            client.release(true)
            client = undefined
          }
        }
      }

      return {
        query: (text: string, values: readonly unknown[]) => translated(where, () => query(text, values)),
        release() {
          if (client === undefined) return
          earlier.add(client)
          client.release(isLost)
        },
      } as unknown as PostgresPoolClient
    },
    end: () => pool.end(),
  } as PostgresPool
}

/** What failed is not the query: what comes next on this connection fails too. */
function isLostConnection(error: unknown): boolean {
  const code = codeOf(error)
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|57P0|08)/.test(code) ||
    (error instanceof Error && /terminated|not queryable|was closed/i.test(error.message))
  )
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

/**
 * What the user can do about a code of node or of PostgreSQL, by how it begins
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'check user and password in the address'],
  [/^3D000/, 'create the database first: createdb NAME'],
  [/^(42501|25006)/, 'let this user create and change tables of the database'],
  [/^53/, 'free some space, or raise the limits of the server'],
]

async function translated<T>(where: string, query: () => Promise<T>): Promise<T> {
  try {
    return await query()
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    const code = codeOf(cause)
    const cannotReach =
      isLostConnection(cause) || /^(ENOTFOUND|ENOENT|EAI_|EHOST|ENET)/.test(code) || /timeout/i.test(cause.message)
    const facts = {
      where,
      expected: 'a PostgreSQL database that can be read and written',
      received: cause.message || code,
      cause,
    }
    if (cannotReach) {
      throw new UnreachableError({ ...facts, remedy: 'check the address and that the server is running' })
    }
    const remedy = remedies.find(([codes]) => codes.test(code))?.[1]
    throw remedy === undefined ? cause : new FileError({ ...facts, remedy })
  }
}
