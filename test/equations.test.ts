/** docs/equations.md is true: its functions are exported, its tests are there, and it lists every equation that the code cites. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** A name and the file that it stands in. */
interface Place {
  readonly name: string
  readonly file: string
}

interface Row {
  readonly equation: string
  readonly source: string
  readonly implementation: Place
  readonly check: Place
}

const cellsOf = (line: string) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())

/** `name` [shown](../path) */
function placeIn(cell: string, line: string): Place {
  const [, name, path] = /^`([^`]+)` \[[^\]]+\]\(([^)]+)\)$/.exec(cell) ?? []
  assert.ok(name !== undefined && path !== undefined, `not a name with its file: ${cell}\n${line}`)
  return { name, file: normalize(join('docs', path)) }
}

const rows = read('docs/equations.md')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| *(-|symbol or equation)/.test(line))
  .map((line): Row => {
    const [equation, source, implementation, check, ...more] = cellsOf(line)
    assert.equal(more.length, 0, `more than four cells: ${line}`)
    return { equation, source, implementation: placeIn(implementation, line), check: placeIn(check, line) }
  })

/** Names of all tests and groups of a file, `describe › it`, with … in the place of what is filled in at run time. */
function testsIn(file: string): Set<string> {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
  const found = new Set<string>()
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    let inner = groups
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = ['describe', 'it', 'test'].includes(node.expression.text) && titleOf(node.arguments[0])
      if (name) found.add((inner = [...groups, name]).join(' › '))
    }
    ts.forEachChild(node, (child) => visit(child, inner))
  }
  visit(source, [])
  return found
}

function titleOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')
}

test('every row has an equation, its source, a function and a test', () => {
  assert.ok(rows.length > 0)
  const empty = rows.filter(({ equation, source }) => equation === '' || source === '')
  assert.deepEqual(empty, [])
  const missing = rows
    .flatMap((row) => [row.implementation.file, row.check.file])
    .filter((f) => !existsSync(join(root, f)))
  assert.deepEqual(missing, [])
})

test('every function is exported by its file', async () => {
  for (const { name, file } of rows.map(({ implementation }) => implementation)) {
    const exported = (await import(new URL(`../${file}`, import.meta.url).href)) as Record<string, unknown>
    const [outer, method] = name.split('.')
    const value = exported[outer]
    assert.ok(typeof value === 'function', `${file} exports no function ${outer}`)
    if (method === undefined) continue
    const { prototype } = value as { prototype: Record<string, unknown> }
    assert.equal(typeof prototype[method], 'function', `${file}: ${outer} has no method ${method}`)
  }
})

test('every test is there', () => {
  const known = new Map<string, Set<string>>()
  const missing = rows
    .map(({ check }) => check)
    .filter(({ name, file }) => {
      const names = known.get(file) ?? testsIn(file)
      known.set(file, names)
      return !names.has(name)
    })
  assert.deepEqual(missing, [])
})

test('every exported function that cites its source has a row', () => {
  const listed = new Set(rows.map(({ implementation: { name, file } }) => `${file} ${name}`))
  const citing = globSync('src/**/*.ts', { cwd: root }).flatMap((file) =>
    [...read(file).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*export (?:async )?function (\w+)/g)]
      .filter(([, comment]) => comment.includes('@see'))
      .map(([, , name]) => `${file.replaceAll('\\', '/')} ${name}`),
  )
  assert.ok(citing.length > 0)
  assert.deepEqual(
    citing.filter((one) => !listed.has(one)),
    [],
  )
})
