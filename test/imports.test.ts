/** Imports flow one way; the judge and the simulated rater cannot leak into what is trained. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import ts from 'typescript'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const filesOf = (pattern: string) => globSync(pattern, { cwd: root }).map((file) => file.replaceAll('\\', '/'))
const files = filesOf('src/**/*.ts')

/** Left to right. */
const order = [
  'tensor',
  'diffusion',
  'networks',
  'prompts',
  'images',
  'feedback',
  'reward',
  'policy',
  'report',
  'check',
  'shapes',
  'study',
  'publish',
  'studio',
]
/** Files at the top of src/ that see everything; all others there are ground that everything may stand on. */
const topMost = new Set([
  'src/cli.ts',
  'src/index.ts',
  'src/open.ts',
  'src/report-tasks.ts',
  'src/check-tasks.ts',
  'src/model-tasks.ts',
  'src/playground-drawings.ts',
])

/** `import`, `export … from`, `import()`, `require()`; type imports count, since they are coupling too. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.normalize(posix.join(posix.dirname(file), name)))
}

const graph = new Map([...files, ...filesOf('web/**/*.{ts,tsx}')].map((file) => [file, importsOf(file)]))
const isTest = (file: string) => file.endsWith('.test.ts')
const sources = files.filter((file) => !isTest(file))

function placeOf(file: string): number {
  const [, folder, inner] = file.split('/')
  if (inner === undefined) return topMost.has(file) ? order.length : -1
  const place = order.indexOf(folder)
  assert.notEqual(place, -1, `${file}: src/${folder}/ has no place in the order of the house`)
  return place
}

/** The chain of imports from a file to the first one that `isTarget` accepts. */
function wayTo(from: string, isTarget: (file: string) => boolean): string[] | undefined {
  const waiting = [[from]]
  const seen = new Set([from])
  for (let way = waiting.shift(); way !== undefined; way = waiting.shift()) {
    for (const next of graph.get(way.at(-1) ?? '') ?? []) {
      if (isTarget(next)) return [...way, next]
      if (!seen.has(next)) waiting.push([...way, next])
      seen.add(next)
    }
  }
  return undefined
}

const inFolder = (folder: string) => (file: string) => file.startsWith(`src/${folder}/`)
function expectNoWay(from: readonly string[], folder: string): void {
  const ways = from.map((file) => wayTo(file, inFolder(folder))).filter((way) => way !== undefined)
  assert.deepEqual(
    ways.map((way) => way.join(' → ')),
    [],
  )
}

test('the scanner sees every kind of import', () => {
  const text =
    "import type { A } from './a.ts'\nexport * from './b.ts'\nconst c = await import('./c.ts')\nimport './d.ts'"
  const { importedFiles } = ts.preProcessFile(text, true, true)
  assert.deepEqual(
    importedFiles.map(({ fileName }) => fileName),
    ['./a.ts', './b.ts', './c.ts', './d.ts'],
  )
  assert.ok(sources.length > 0)
})

test('every imported file of ours is there', () => {
  const missing = [...graph].flatMap(([file, imported]) =>
    imported
      .filter((other) => other.startsWith('src/') && other.endsWith('.ts') && !graph.has(other))
      .map((other) => `${file} → ${other}`),
  )
  assert.deepEqual(missing, [])
})

test('no file imports itself by way of others', () => {
  const circles = [...graph.keys()].map((file) => wayTo(file, (other) => other === file)?.join(' → '))
  assert.deepEqual(
    circles.filter((circle) => circle !== undefined),
    [],
  )
})

test('a folder imports itself, the ground and what is left of it', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((other) => other.startsWith('src/'))
      .filter((other) => {
        const sameFolder = placeOf(file) >= 0 && file.split('/')[1] === other.split('/')[1]
        return !sameFolder && placeOf(other) >= 0 && placeOf(other) >= placeOf(file) && !topMost.has(file)
      })
      .map((other) => `${file} → ${other}`),
  )
  assert.deepEqual(wrong, [])
})

test('nothing that feedback or the prompts import reaches libtorch', () => {
  expectNoWay(sources.filter(inFolder('feedback')), 'tensor')
  expectNoWay(sources.filter(inFolder('prompts')), 'tensor')
})

test('nothing of the studio reaches libtorch but what it starts as processes', () => {
  const started = new Set([
    'src/studio/jobs/print-stages.ts',
    'src/studio/devices/print-gpus.ts',
    // Of src/playground-drawings.ts, with what it alone uses.
    'src/studio/playground/serve-drawings.ts',
    'src/studio/playground/policy-shelf.ts',
  ])
  expectNoWay(
    sources.filter((file) => inFolder('studio')(file) && !started.has(file)),
    'tensor',
  )
})

test('reward and policy cannot reach the judge and the simulated rater', () => {
  expectNoWay(sources.filter(inFolder('reward')), 'shapes')
  expectNoWay(sources.filter(inFolder('policy')), 'shapes')
})

test('only tensor loads the add-on', () => {
  const loads = /attune\.node|process\.dlopen|createRequire/
  const wrong = sources.filter(
    (file) => !inFolder('tensor')(file) && loads.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(wrong, [])
})
