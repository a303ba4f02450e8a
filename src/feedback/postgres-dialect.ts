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
import { FileError } from '../errors.ts'

/** Any number will do that all processes agree upon. */
const writeLock = 23_056_381

/**
 * A dialect over a PostgreSQL server. A transaction takes one lock of the database when it begins: writers wait for each
 * other, and rows become visible in the order of their numbers. Reads outside of transactions never wait.
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
    await super.beginTransaction(connection, settings)
    await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_xact_lock(${writeLock})`))
  }
}

/** The pool with complaints in Attune's words. */
function adapted(pool: Pool, where: string): PostgresPool {
  const clients = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    async connect() {
      const client = await translated(where, () => pool.connect())
      const known = clients.get(client)
      if (known !== undefined) return known
      // one that is cut while it is in use: its query fails, which is enough
      client.on('error', () => undefined)
      const query = (text: string, values: readonly unknown[]) =>
        translated(where, () => client.query(text, [...values]))
      const wrapped = { query, release: () => client.release() } as unknown as PostgresPoolClient
      clients.set(client, wrapped)
      return wrapped
    },
    end: () => pool.end(),
  } as PostgresPool
}

/**
 * What the user can do about a code of node or of PostgreSQL, by how it begins
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^(ECONN|ENOTFOUND|ENOENT|EAI_|EHOST|ETIMEDOUT|57P0|08)/, 'check the address and that the server is running'],
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
    const code = 'code' in cause ? String(cause.code) : ''
    const isLost = /timeout|terminated|not queryable/i.test(cause.message)
    const remedy = remedies.find(([codes]) => codes.test(isLost ? 'ETIMEDOUT' : code))?.[1]
    if (remedy === undefined) throw cause
    throw new FileError({
      where,
      expected: 'a PostgreSQL database that can be read and written',
      received: cause.message || code,
      remedy,
      cause,
    })
  }
}
