/** A PostgreSQL server of the tests' own, from Debian's package (or whatever `pg_config` names). */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** What a suite says that is skipped. */
export const noPostgres = 'PostgreSQL is not installed (Debian: apt-get install postgresql)'

export interface PostgresServer extends AsyncDisposable {
  /** The address of a new, empty database. */
  freshDatabase(): Promise<string>
  /** Cuts all connections. This process stands still meanwhile, so none of its own knows of it when it goes on. */
  cutConnections(): void
  /** Ends the server in the middle of whatever it does, and starts it again on what is on its disk. */
  crash(): Promise<void>
}

/** The folder of the newest installed server's programs. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const named = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' })
  return [...versions.map((version) => join(debian, version, 'bin')), (named.stdout ?? '').trim()].find(
    (folder) => folder !== '' && existsSync(join(folder, 'initdb')),
  )
}

const idOf = (which: '-u' | '-g') => Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))

/**
 * Starts a server on a socket in a folder of its own, which goes when the server does. Where we are root it
 * runs as the user `postgres`.
 *
 * @param options `isDurable`: what is committed is on the disk, as it is unless somebody sets the server up otherwise
 * @returns undefined where PostgreSQL is not installed
 */
export async function postgresServer({ isDurable = false } = {}): Promise<PostgresServer | undefined> {
  const bin = postgresPrograms()
  if (bin === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'attune-postgres-'))
  // it refuses to be root
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const cluster = join(folder, 'data')
  const initialise = ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(bin, 'initdb'), initialise, { stdio: 'ignore', cwd: folder, ...user })
  const options = ['-D', cluster, '-k', folder, '-c', 'listen_addresses=', '-c', `fsync=${isDurable ? 'on' : 'off'}`]
  const urlOf = (name: string) => `postgres://postgres@/${name}?host=${encodeURIComponent(folder)}`

  async function start() {
    const server = spawn(join(bin!, 'postgres'), options, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, ...user })
    const closed = once(server, 'close')
    let said = ''
    server.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    while (!said.includes('ready to accept connections')) {
      if (server.exitCode !== null) throw new TypeError(`PostgreSQL does not start:\n${said}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return { stopAtOnce: () => server.kill('SIGQUIT'), closed }
  }

  let running = await start()
  const stopAtOnce = () => running.stopAtOnce()
  process.once('exit', stopAtOnce)
  let count = 0
  return {
    async freshDatabase() {
      const client = new Client({ connectionString: urlOf('postgres') })
      await client.connect()
      const name = `feedback_${++count}`
      await client.query(`CREATE DATABASE ${name}`)
      await client.end()
      return urlOf(name)
    },
    cutConnections() {
      const cut = 'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()'
      execFileSync(join(bin, 'psql'), ['-d', urlOf('postgres'), '-c', `${cut} AND backend_type = 'client backend'`])
    },
    async crash() {
      running.stopAtOnce()
      await running.closed
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      stopAtOnce()
      await running.closed
      process.off('exit', stopAtOnce)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
