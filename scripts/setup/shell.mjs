/** What every step of the set-up needs: one way to speak, to stop, to run a command, and to be alone. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { project } from './places.mjs'

/** One progress line; on stderr, so that a stage's stdout stays its own. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`)
}

/** The set-up cannot go on; the lines say what the user must do. */
export class SetupStop extends Error {
  constructor(what, ...todo) {
    super([what, ...todo.map((line) => `  ${line}`)].join('\n'))
  }
}

export const debianOrMac = (debian, mac) => [`Debian, Ubuntu:  ${debian}`, `macOS:           ${mac}`]

/** @throws {SetupStop} where Attune has no libtorch to run on */
export function expectPlatform() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20) {
    throw new SetupStop(`Node ${process.versions.node} is too old`, 'install Node 20 or later, from nodejs.org for one')
  }
  const here = `${process.platform} ${process.arch}`
  if (process.platform === 'win32') {
    throw new SetupStop('Windows is not supported', 'use WSL 2 (`wsl --install`) and run the same command inside it')
  }
  if (!['linux x64', 'linux arm64', 'darwin arm64'].includes(here)) {
    throw new SetupStop(
      `${here} is not supported`,
      'use Linux (x64 or arm64) or macOS on Apple silicon: PyTorch has no wheels here',
    )
  }
}

/** The environment for commands: this project's own node_modules/.bin is not on the path, since it may be replaced. */
export function commandEnvironment(extra = {}) {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(join(project, 'node_modules')))
    .join(delimiter)
  return { ...process.env, PATH: path, ...extra }
}

/** Runs a quick command; `{ code, stdout, stderr }`, code 127 where it does not exist. */
export function ask(command, args, extra = {}) {
  const env = commandEnvironment(extra)
  const done = spawnSync(command, args, { encoding: 'utf8', env, cwd: project, maxBuffer: 1 << 26 })
  return { code: done.error ? 127 : (done.status ?? 1), stdout: done.stdout ?? '', stderr: done.stderr ?? '' }
}

/** Runs a long command, shows what it prints, and returns `{ code, output }` with the end of its stderr. */
export function show(command, args, extra = {}) {
  return new Promise((resolve) => {
    const env = commandEnvironment(extra)
    const child = spawn(command, args, { env, cwd: project, stdio: ['ignore', 2, 'pipe'] })
    let output = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text) => {
      process.stderr.write(text)
      output = (output + text).slice(-20000)
    })
    child.on('error', () => resolve({ code: 127, output }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Waits until no other set-up runs in this project; returns the function that lets the next one in. */
export async function lock(file) {
  mkdirSync(dirname(file), { recursive: true })
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, `${process.pid}`)
  try {
    for (let said = false; ;) {
      try {
        linkSync(mine, file)
        break
      } catch (error) {
        if (error.code !== 'EEXIST') throw error
      }
      const owner = ownerOf(file)
      if (owner === 'gone') {
        // The rename is atomic: of several that see a dead owner's lock only one moves it.
        const stale = `${mine}.stale`
        try {
          renameSync(file, stale)
        } catch {
          continue
        }
        if (ownerOf(stale) !== 'gone' && !existsSync(file)) renameSync(stale, file)
        rmSync(stale, { force: true })
        continue
      }
      if (!said && owner !== 'free') say(`waiting for the set-up that process ${owner} is running`)
      said = true
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  } finally {
    rmSync(mine, { force: true })
  }
  return () => rmSync(file, { force: true })
}

/** The process id in a lock file, 'gone' where that process has ended, 'free' where there is no lock. */
function ownerOf(file) {
  let pid
  try {
    pid = Number(readFileSync(file, 'utf8'))
  } catch {
    return 'free'
  }
  if (!(pid > 0) || pid === process.pid) return 'gone'
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return 'gone'
  }
  return pid
}
