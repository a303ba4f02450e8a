/** Packages of Debian, installed without questions. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { SetupStop, ask, say, show } from './shell.mjs'

const environment = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }
/** Another run of apt is waited for; a mirror that stumbles is asked again. */
const patience = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Use-Pty=0']

/** Not of Ubuntu, whose package `chromium` is another kind of thing. */
export function isDebian() {
  const told = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return /^ID="?debian"?$/m.test(told) && ask('apt-get', ['--version']).code === 0
}

/**
 * Installs packages and what they need, but nothing that they only recommend. Lists of packages are fetched where there are
 * none, and once more where they name files that the mirror no longer has.
 *
 * @throws {SetupStop} apt-get could not
 */
export async function installDebian(packages) {
  const hasLists = globSync('/var/lib/apt/lists/*_Packages*').length > 0
  if (!hasLists) await update(packages)
  if (await isInstalledBy(packages)) return
  if (hasLists) {
    say('once more with new lists of packages')
    await update(packages)
    if (await isInstalledBy(packages)) return
  }
  throw aptStop(packages)
}

async function isInstalledBy(packages) {
  const options = ['install', '--yes', '-qq', '--no-install-recommends', ...patience]
  return (await show('apt-get', [...options, ...packages], environment)).code === 0
}

async function update(packages) {
  if ((await show('apt-get', ['update', '-qq', ...patience], environment)).code !== 0) throw aptStop(packages)
}

const aptStop = (packages) =>
  new SetupStop(
    'apt-get could not install what the tests need (its own words are above)',
    `mend that and run:  apt-get update && apt-get install ${packages.join(' ')}`,
  )

const clusterSettings = '/etc/postgresql-common/createcluster.conf'

/** PostgreSQL's programs, without the database and the running server that Debian's package makes by itself. */
export async function installPostgres() {
  await installDebian(['postgresql-common'])
  const settings = readFileSync(clusterSettings, 'utf8')
  writeFileSync(clusterSettings, `${settings}\ncreate_main_cluster = false\n`)
  try {
    await installDebian(['postgresql'])
  } finally {
    writeFileSync(clusterSettings, settings)
  }
}
