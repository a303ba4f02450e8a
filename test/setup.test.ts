/** The set-up on a fresh clone, under the machine's own Node, and what it says where it cannot go on. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { postgresPrograms } from '../src/feedback/store/postgres.test-helper.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const temporary = mkdtempSync(join(tmpdir(), 'attune-setup-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

/** The path without this project's node_modules/.bin: what a stranger's shell has. */
const path = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)
const { torchFolder } = JSON.parse(readFileSync(join(root, 'build', 'library.json'), 'utf8')) as { torchFolder: string }

/** Without what `npm test` and the test runner hand down to their children. */
function environment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|INIT_CWD)/.test(name))
  return { ...Object.fromEntries(own), PATH: path, ...extra }
}

function run(command: string, args: string[], cwd: string, extra: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: environment(extra) })
  return { status, stdout, stderr }
}

test('npm run demo -- --help works on a clone without node_modules', () => {
  const clone = join(temporary, 'clone')
  assert.equal(run('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone], temporary).status, 0)
  assert.equal(existsSync(join(clone, 'node_modules')), false)
  // The library is the one that is here already, so that it is not downloaded again.
  const first = run('npm', ['run', 'demo', '--', '--help'], clone, { LIBTORCH: torchFolder })
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /Usage: .*demo/)
  const again = run('node', ['scripts/setup.mjs'], clone, { LIBTORCH: torchFolder })
  assert.equal(again.status, 0)
  assert.match(again.stderr, /^set-up: ready: libtorch \S+ \(LIBTORCH, C.*\n$/)

  // Half of an earlier build is no build.
  rmSync(join(clone, 'build', 'library.json'))
  assert.match(run('node', ['scripts/setup.mjs'], clone, { LIBTORCH: torchFolder }).stderr, /compiling/)
})

test('where the set-up cannot go on it says what to do and ends with 2', () => {
  const bare = join(temporary, 'bare')
  mkdirSync(join(bare, 'src'), { recursive: true })
  for (const name of ['scripts', 'native', 'package.json', 'package-lock.json']) {
    cpSync(join(root, name), join(bare, name), { recursive: true })
  }
  const programs = join(temporary, 'programs')
  mkdirSync(programs)
  symlinkSync(process.execPath, join(programs, 'node'))
  const stopped = (extra: NodeJS.ProcessEnv) => {
    const { status, stderr } = run(join(programs, 'node'), ['scripts/setup.mjs'], bare, { PATH: programs, ...extra })
    assert.equal(status, 2, stderr)
    return stderr
  }
  assert.match(stopped({}), /npm is not there\n.*sudo apt-get install npm\n.*macOS/)

  symlinkSync(join(root, 'node_modules'), join(bare, 'node_modules'))
  assert.match(stopped({}), /python3 is not there.*\n.*sudo apt-get install python3 python3-pip\n.*brew install python/)
  writeFileSync(join(programs, 'python3'), '#!/bin/sh\n[ "$1" = --version ]\n', { mode: 0o755 })
  assert.match(stopped({}), /python3 has no pip.*\n.*sudo apt-get install python3-pip/)
  assert.match(stopped({ LIBTORCH: programs }), /is no libtorch/)
  assert.match(stopped({ LIBTORCH: torchFolder }), /no C\+\+ compiler\n.*sudo apt-get install g\+\+\n.*xcode-select/)
  assert.match(stopped({ LIBTORCH: torchFolder, CXX: 'no-such-compiler' }), /CXX=no-such-compiler does not start/)

  const old = join(temporary, 'old')
  mkdirSync(join(old, 'include', 'ATen'), { recursive: true })
  mkdirSync(join(old, 'lib'))
  for (const name of ['libtorch_cpu.so', 'libtorch_cpu.dylib']) writeFileSync(join(old, 'lib', name), '')
  writeFileSync(join(old, 'build-version'), '2.1.0+cpu\n')
  assert.match(stopped({ LIBTORCH: old }), /libtorch 2\.1\.0\+cpu, which is too old/)
})

test('the tests’ own programs are installed on Debian as root; elsewhere a line says what is left out', (context) => {
  const place = join(temporary, 'tests')
  mkdirSync(place)
  for (const name of ['scripts', 'src', 'test/browser', 'package.json']) {
    cpSync(join(root, name), join(place, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
  const programs = join(temporary, 'programs-of-tests')
  mkdirSync(programs)
  const setUp = () => {
    const extra = { PATH: programs, CHROMIUM: '' }
    const { status, stderr } = run(process.execPath, ['scripts/setup-tests.mjs', '--without-device'], place, extra)
    return { status, stderr }
  }
  const elsewhere = setUp()
  assert.equal(elsewhere.status, 0, elsewhere.stderr)
  assert.match(
    elsewhere.stderr,
    /^set-up: Chromium is not installed: the browser tests are left out \(.*apt-get install chromium.*\)$/m,
  )

  const isDebian = existsSync('/etc/os-release') && /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
  if (process.getuid?.() !== 0 || !isDebian || postgresPrograms() === undefined) {
    return context.skip('this is not Debian as root')
  }
  const apt = (install: string) =>
    writeFileSync(
      join(programs, 'apt-get'),
      `#!/bin/sh\necho "$*" >> ${programs}/asked\nif [ "$1" = install ]; then ${install}; fi\n`,
      { mode: 0o755 },
    )
  apt('echo "E: no space" >&2; exit 100')
  const failed = setUp()
  assert.equal(failed.status, 2, failed.stderr)
  assert.match(failed.stderr, /E: no space[^]*set-up cannot go on: apt-get could not install.*\n.*install chromium\n/)

  apt(`/bin/ln -s /bin/true ${programs}/chromium`)
  const installed = setUp()
  assert.equal(installed.status, 0, installed.stderr)
  assert.match(installed.stderr, /^set-up: installing Chromium, for the tests\n$/)
  assert.match(readFileSync(join(programs, 'asked'), 'utf8'), /install .*--no-install-recommends .*chromium\n$/)
  assert.deepEqual(setUp(), { status: 0, stderr: '' })
})
