/** Step 1: the npm packages of package-lock.json, and Node 24, which is one of them. */
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SetupStop, ask, debianOrMac, project, say, show } from './shell.mjs'

const modules = join(project, 'node_modules')
const node = join(modules, '.bin', 'node')
const nodePackage = `node${process.platform === 'darwin' && process.arch === 'arm64' ? '-bin' : ''}-${process.platform}-${process.arch}`
const nodeHome = join(modules, 'node', 'node_modules', nodePackage)

/** @returns {Promise<{installed: boolean, node: string, nodeVersion: string, nodeInclude: string}>} */
export async function installPackages() {
  let installed = false
  if (!matchesLock()) {
    say('installing npm packages (Node 24 among them: about 60 MB to download)')
    const { code, output } = await show('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
    if (code !== 0) throw npmStop(code, output)
    installed = true
  }
  if (!nodeVersion()) {
    await installNode()
    installed = true
  }
  const version = nodeVersion()
  if (!version) {
    throw new SetupStop(
      'Node 24 was installed but does not start',
      `try it:  ${node} --version`,
      'a message about GLIBC means that this system is too old: glibc 2.28 is needed',
    )
  }
  return { installed, node, nodeVersion: version, nodeInclude: join(nodeHome, 'include', 'node') }
}

/** npm writes node_modules/.package-lock.json last: it tells whether what is installed is what the lock file says. */
function matchesLock() {
  try {
    const wanted = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')).packages
    const present = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages
    return Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' ||
        (present[path] === undefined ? entry.optional : present[path].version === entry.version) === true,
    )
  } catch {
    return false
  }
}

function nodeVersion() {
  if (!existsSync(join(nodeHome, 'include', 'node', 'node_api.h'))) return undefined
  const { code, stdout } = ask(node, ['--version'])
  const version = stdout.trim().slice(1)
  return code === 0 && Number(version.split('.')[0]) >= 24 ? version : undefined
}

/** What the install script of the package `node` does, for those who keep install scripts off. */
async function installNode() {
  const { version } = JSON.parse(readFileSync(join(modules, 'node', 'package.json'), 'utf8'))
  say(`installing Node ${version} (${nodePackage}, about 60 MB to download; its install script did not run)`)
  const partial = join(modules, '.node-partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  const { code, output } = await show('npm', ['install', '--prefix', partial, ...options, `${nodePackage}@${version}`])
  if (code !== 0) throw npmStop(code, output)
  rmSync(nodeHome, { recursive: true, force: true })
  mkdirSync(join(modules, 'node', 'node_modules'), { recursive: true })
  renameSync(join(partial, 'node_modules', nodePackage), nodeHome)
  rmSync(partial, { recursive: true, force: true })
  const bin = join(modules, 'node', 'bin')
  mkdirSync(bin, { recursive: true })
  rmSync(join(bin, 'node'), { force: true })
  linkSync(join(nodeHome, 'bin', 'node'), join(bin, 'node'))
  chmodSync(join(bin, 'node'), 0o755)
  mkdirSync(join(modules, '.bin'), { recursive: true })
  if (!existsSync(node)) {
    rmSync(node, { force: true })
    linkSync(join(bin, 'node'), node)
  }
}

function npmStop(code, output) {
  if (code === 127) {
    return new SetupStop('npm is not there', ...debianOrMac('sudo apt-get install npm', 'brew install node'))
  }
  if (/ENOSPC/.test(output)) return new SetupStop('the disk is full', 'free about 4 GB and run the same command again')
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network/i.test(output)) {
    return new SetupStop(
      'npm cannot reach its registry',
      'connect this machine to the network and run the same command again',
      'behind a proxy:  npm config set proxy http://HOST:PORT && npm config set https-proxy http://HOST:PORT',
      'a registry of your own:  npm config set registry URL',
    )
  }
  return new SetupStop(
    'npm could not install the packages (its own words are above)',
    'mend that and run the same command again',
  )
}
