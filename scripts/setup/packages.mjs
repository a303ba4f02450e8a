/**
 * Step 1. A checkout: the npm packages of package-lock.json, and Node 24, which is one of them. An installed package has
 * its npm packages; it runs on the Node that is there, or on a Node 24 of its own where that is too old.
 */
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cache, isPackage, project } from './places.mjs'
import { SetupStop, ask, debianOrMac, say, show } from './shell.mjs'

const modules = join(project, 'node_modules')
const nodePackage = `node${process.platform === 'darwin' && process.arch === 'arm64' ? '-bin' : ''}-${process.platform}-${process.arch}`
/** `bin/attune` looks for the same file. */
const node = isPackage ? join(cache, 'node', 'bin', 'node') : join(modules, '.bin', 'node')
/** What the package needs, in `bin/attune` too: node:sqlite without a flag, node:fs with globs. */
const oldest = [22, 18]

/** @returns {Promise<{installed: boolean, node: string, nodeVersion: string}>} */
export async function installPackages() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (isPackage && (major > oldest[0] || (major === oldest[0] && minor >= oldest[1]))) {
    return { installed: false, node: process.execPath, nodeVersion: process.versions.node }
  }
  let installed = false
  if (!isPackage && !matchesLock()) {
    say('installing npm packages (Node 24 among them: about 60 MB to download)')
    const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
    const { code, output } = await show('npm', ['ci', ...options])
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
  return { installed, node, nodeVersion: version }
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
  const { code, stdout } = ask(node, ['--version'])
  const version = stdout.trim().slice(1)
  return code === 0 && Number(version.split('.')[0]) >= 24 ? version : undefined
}

/** What the install script of the npm package `node` does, which an installed package lacks and some keep off. */
async function installNode() {
  const { devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  const version = devDependencies.node
  const home = isPackage ? join(cache, 'node') : join(modules, 'node', 'node_modules', nodePackage)
  say(`installing Node ${version} (${nodePackage}, about 60 MB to download)`)
  const partial = join(isPackage ? cache : modules, '.node-partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  const { code, output } = await show('npm', ['install', '--prefix', partial, ...options, `${nodePackage}@${version}`])
  if (code !== 0) throw npmStop(code, output)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(dirname(home), { recursive: true })
  renameSync(join(partial, 'node_modules', nodePackage), home)
  rmSync(partial, { recursive: true, force: true })
  if (!isPackage) linkNode(join(home, 'bin', 'node'))
}

/** Where npm would have linked it. */
function linkNode(program) {
  const bin = join(modules, 'node', 'bin')
  mkdirSync(bin, { recursive: true })
  rmSync(join(bin, 'node'), { force: true })
  linkSync(program, join(bin, 'node'))
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
