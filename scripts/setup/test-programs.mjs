/** What only the tests need: a browser and a database server. Nothing of it is installed for those who run Attune. */
import { postgresPrograms } from '../../src/feedback/store/postgres.test-helper.ts'
import { chromiumPath } from '../../test/browser/chromium.ts'
import { installDebian, installPostgres, isDebian } from './debian.mjs'
import { SetupStop, debianOrMac, say } from './shell.mjs'

const programs = [
  {
    title: 'Chromium',
    suites: 'the browser tests',
    find: chromiumPath,
    install: () => installDebian(['chromium']),
    byHand: debianOrMac('sudo apt-get install chromium', 'brew install --cask chromium, then CHROMIUM=/its/program'),
  },
  {
    title: 'PostgreSQL',
    suites: 'the tests on PostgreSQL',
    find: postgresPrograms,
    install: installPostgres,
    byHand: debianOrMac('sudo apt-get install postgresql', 'brew install postgresql'),
  },
]

/** One line for each program that is not there. */
export const leftOut = () =>
  programs
    .filter(({ find }) => find() === undefined)
    .map(({ title, suites, byHand }) => `${title} is not installed: ${suites} are left out (${byHand.join('; ')})`)

/**
 * Installs what is missing where that can be done without asking: on Debian, as root. Elsewhere a line says what is left out.
 *
 * @throws {SetupStop} apt-get could not, or its package has not brought the program
 */
export async function installTestPrograms() {
  const missing = programs.filter(({ find }) => find() === undefined)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || !isDebian()) {
    for (const line of leftOut()) say(line)
    return
  }
  for (const { title, find, install } of missing) {
    say(`installing ${title}, for the tests`)
    await install()
    if (find() === undefined)
      throw new SetupStop(`${title} was installed but is not there`, 'look at what apt-get said')
  }
}
