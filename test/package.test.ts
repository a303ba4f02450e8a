/** The package that `npm pack` makes, in the project of somebody else: it starts, sets itself up, works and has types. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const temporary = mkdtempSync(join(tmpdir(), 'attune-package-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

const project = join(temporary, 'project')
const installed = join(project, 'node_modules', 'attune')
const cache = join(temporary, 'cache')
const { torchFolder } = JSON.parse(readFileSync(join(root, 'build', 'library.json'), 'utf8')) as { torchFolder: string }

/** The Node that runs this test, and of this project nothing else. */
const path = [
  dirname(process.execPath),
  ...(process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules')),
].join(delimiter)

function run(command: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}, cwd = project) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|INIT_CWD)/.test(name))
  const env = { ...Object.fromEntries(inherited), PATH: path, XDG_CACHE_HOME: cache, ...extra }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env })
  return { status, stdout, stderr }
}
const attune = (words: string, extra?: NodeJS.ProcessEnv) =>
  run(join('node_modules', '.bin', 'attune'), words.split(' '), extra)
function expectDone({ status, stdout, stderr }: ReturnType<typeof run>): string {
  assert.equal(status, 0, stderr + stdout)
  return stdout
}

const filesOf = (folder: string) => globSync('**/*', { cwd: folder }).sort()
let packed: string[] = []

/** What `npm install attune.tgz` does, with the dependencies that are here already. */
before(() => {
  const words = ['pack', '--json', '--pack-destination', temporary]
  const [{ filename, size }] = JSON.parse(expectDone(run('npm', words, {}, root)).replace(/^[^[]*(?=\[\s*\{)/, '')) as [
    { filename: string; size: number },
  ]
  assert.ok(size < 9e6, `a package of ${size} bytes`)
  mkdirSync(installed, { recursive: true })
  expectDone(run('tar', ['-xzf', join(temporary, filename), '-C', installed, '--strip-components', '1']))
  const { dependencies, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    bin: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  mkdirSync(join(project, 'node_modules', '.bin'))
  symlinkSync(join('..', 'attune', bin.attune), join(project, 'node_modules', '.bin', 'attune'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n')
  packed = filesOf(installed)
})

test('it holds what runs, and nothing of the tests', () => {
  const unwanted = packed.filter((file) =>
    /\.test\.|test-helper|^(src|test|bench|web|recipes)\/|setup-tests|\.png$/.test(file),
  )
  assert.deepEqual(unwanted, [])
  const scripts = packed.filter((file) => file.startsWith('dist/') && file.endsWith('.js'))
  assert.ok(scripts.length > 100)
  const sources = scripts.filter((file) =>
    /['"`][./][^'"`\s]*\.ts['"`]/.test(readFileSync(join(installed, file), 'utf8')),
  )
  assert.deepEqual(sources, [], 'files that would look for TypeScript')
})

test('help needs no set-up, and an old Node is not used', () => {
  assert.match(expectDone(attune('--help')), /Usage: attune[^]*images[^]*report/)
  assert.match(expectDone(attune('policy dpok --help')), /--clip-range|--kl/)
  assert.equal(existsSync(join(cache, 'attune', '0.2.0', 'library.json')), false)

  const programs = join(temporary, 'programs')
  mkdirSync(programs)
  writeFileSync(join(programs, 'node'), '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 })
  const old = { PATH: `${programs}${delimiter}${path}`, XDG_CACHE_HOME: join(temporary, 'cache-of-old') }
  const own = join(old.XDG_CACHE_HOME, 'attune', 'node', 'bin')
  mkdirSync(own, { recursive: true })
  symlinkSync(process.execPath, join(own, 'node'))
  assert.match(expectDone(attune('--help', old)), /Usage: attune/)
})

const program = `
import { gaussianKl, tensor, tensorScope, type GenerativeModel, type Judgment, type Reward } from 'attune'
const scope = tensorScope()
const kl: number[] = gaussianKl(tensor([1, 2, 3, 4], [2, 2]), tensor([0, 0, 0, 0], [2, 2]), tensor([1, 1], [2])).toArray()
scope[Symbol.dispose]()
console.log(JSON.stringify(kl))
export const scored = (model: GenerativeModel, reward: Reward, judgment: Judgment) => [model.name, reward, judgment.id]
`

test('it is imported with types, in a strict project without other types', () => {
  writeFileSync(join(project, 'main.ts'), program)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023']
  writeFileSync(join(project, 'wrong.ts'), program.replace('number[]', 'string[]'))
  const { stdout } = run(process.execPath, [tsc, ...flags, 'main.ts', 'wrong.ts'])
  assert.match(stdout, /^wrong\.ts\(.*'number\[\]' is not assignable to type 'string\[\]'\.\n.*\n$/)
})

test('it sets itself up in the cache of the user, and draws, judges and reports', () => {
  assert.match(run(process.execPath, ['main.ts']).stderr, /add-on[^]*npx attune setup/)

  // A compiler that hands out what is compiled here already: only the set-up is tried, in a moment.
  const compiler = join(temporary, 'compiler')
  writeFileSync(
    compiler,
    `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --version) echo 'a compiler'; exit ;;
    -c) [ -s "$2" ] || exit 3 ;;
    -o) out=$2 ;;
    -I*) [ ! -s "\${1#-I}/node_api.h" ] || headers=there ;;
  esac
  shift
done
case $out in *.o) [ "$headers" = there ] || exit 4 ;; esac
case $out in *.node) cp '${join(root, 'build', 'attune.node')}' "$out" ;; *) : > "$out" ;; esac
`,
    { mode: 0o755 },
  )
  const set = { LIBTORCH: torchFolder, CXX: compiler }
  const made = join(cache, 'attune', '0.2.0')
  const first = attune('setup', set)
  assert.equal(expectDone(first), `${made}\n`)
  assert.match(first.stderr, /^set-up: compiling[^]*set-up: done/)
  assert.match(attune('setup', set).stderr, /^set-up: ready/)

  assert.deepEqual(JSON.parse(expectDone(run(process.execPath, ['main.ts']))), [2.5, 12.5])
  const prompts = ['red circles', 'yellow circles', 'green circles', 'red triangles', 'blue crosses', 'blue rings']
  writeFileSync(join(project, 'seen.txt'), prompts.join('\n'))
  writeFileSync(join(project, 'unseen.txt'), 'red crosses')
  expectDone(attune('images generate --prompts seen.txt --per-prompt 6 --out runs/images'))
  expectDone(attune('feedback simulate --images runs/images --feedback feedback.sqlite'))
  expectDone(attune('reward train --feedback feedback.sqlite --epochs 2 --out runs/reward'))
  const lists = '--seen seen.txt --unseen unseen.txt --images-per-prompt 2 --kl-rollouts 8 --best-of 1'
  expectDone(attune(`report --reward runs/reward ${lists} --out runs/report`))
  assert.match(readFileSync(join(project, 'runs', 'report', 'report.html'), 'utf8'), /<html/)
  const checked = expectDone(attune('check --steps 4 --minutes 60'))
  assert.equal(checked.match(/^pass +(machine|folder|libtorch|gpu|model|memory|first ratio|resume|speed|reward) /gm)?.length, 10) // prettier-ignore
  assert.deepEqual(filesOf(installed), packed, 'the folder of the package may be read-only')
})
