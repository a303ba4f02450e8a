/** Texts stand in the catalogue alone, all of them are used, and German says them all. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { formats } from '../../src/feedback/formats/formats.ts'
import { stages } from '../../src/stages.ts'
import { formStages } from '../../src/stages.ts'
import { hiddenFields, mainFields, ownFields, runSentences } from '../../src/studio/jobs/stage-plans.ts'
import { stageSchemas } from '../../src/studio/jobs/stage-schemas.ts'
import { usualGuidelines } from '../../src/studio/server/usual-guidelines.ts'
import { usualExamplesFor } from '../../src/studio/usual-examples.ts'
import { inWordsOf } from '../pages/label/usual-words.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { english, german } from './speech.ts'
import { languageAmong } from './texts.ts'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const filesOf = (pattern: string | readonly string[]) =>
  globSync(pattern, { cwd: web }).map((file) => file.replaceAll('\\', '/'))

/** All that is shown or told; prompts are in the language of models, which is English. */
const spoken = filesOf('**/*.{ts,tsx}').filter(
  (file) => !/^texts\/|\.test(-helper)?\.ts$|^prompt-templates\.ts$/.test(file),
)
/** Attributes that somebody reads or hears. */
const readAttributes = /^(aria-label|aria-description|alt|title|label|placeholder|action|data-title)$/
/** Attributes that nobody reads. */
const unread = /^(className|style|d|id|key|transform|viewBox|data-(?!title).*)$/
/** What stands in them is a name of its own: a key of the keyboard, a word to type. */
const named = /^(kbd|code)$/
/** Names that no language has another word for. */
const brands = /^(Attune|GPU|shapes)$/

/** Names of stages, and of what a browser has. */
const known = new Set<string>([...Object.keys(stages), 'Enter', 'Notification'])
/** Words with blanks between them, or one as it begins a sentence. */
const isSpoken = (text: string) => (/\p{L} \p{L}/u.test(text) || /^\p{Lu}\p{Ll}/u.test(text)) && !known.has(text)

/** Texts that an expression may have as its value. */
function valuesOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map((span) => span.literal.text)]
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return valuesOf(node.expression)
  if (ts.isConditionalExpression(node)) return [...valuesOf(node.whenTrue), ...valuesOf(node.whenFalse)]
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken
    const joins = kind === ts.SyntaxKind.PlusToken || kind === ts.SyntaxKind.BarBarToken
    if (joins || kind === ts.SyntaxKind.QuestionQuestionToken) return [...valuesOf(node.left), ...valuesOf(node.right)]
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken) return valuesOf(node.right)
  }
  return []
}

/** Texts that stand in the elements of a page, and sentences anywhere else: `line: text`. */
function literalsIn(name: string, source: string): Set<string> {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true)
  const found = new Set<string>()
  const look = (node: ts.Node): void => {
    if (ts.isJsxElement(node) && named.test(node.openingElement.tagName.getText(file))) return
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return
    if (ts.isJsxAttribute(node) && unread.test(node.name.getText(file))) return
    const texts = ts.isJsxText(node)
      ? [node.text]
      : ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent) && node.expression !== undefined
        ? valuesOf(node.expression)
        : ts.isJsxAttribute(node) && readAttributes.test(node.name.getText(file)) && node.initializer !== undefined
          ? valuesOf(ts.isJsxExpression(node.initializer) ? node.initializer.expression! : node.initializer)
          : ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
            ? valuesOf(node).filter(isSpoken)
            : []
    for (const text of texts.map((one) => one.trim())) {
      if (!/\p{L}/u.test(text) || brands.test(text)) continue
      found.add(`${name}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}: ${text}`)
    }
    node.forEachChild(look)
  }
  look(file)
  return found
}

/** Leaves of a catalogue by their paths. */
function leavesOf(texts: object, path: readonly string[] = []): [path: readonly string[], text: unknown][] {
  return Object.entries(texts).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? leavesOf(value, [...path, name]) : [[[...path, name], value]],
  )
}

test('pages have no text of their own', () => {
  const example = `
const A = () => <p title="Two words" className="x">{is ? 'yes' : t.no} and {\`\${n} left\`} <kbd>A</kbd></p>
const b = { c: 'A sentence', d: 'reward train', e: 'kept' }`
  assert.deepEqual(
    [...literalsIn('a.tsx', example)].map((line) => line.replace(/^.*: /, '')),
    ['Two words', 'yes', 'and', 'left', 'A sentence'],
  )
  const wrong = spoken.flatMap((file) => [...literalsIn(file, readFileSync(join(web, file), 'utf8'))])
  assert.deepEqual(wrong, [], 'these belong into web/texts/')
})

test('every text is used', () => {
  const all = spoken.map((file) => readFileSync(join(web, file), 'utf8')).join('\n')
  const used = new Set(all.match(/[\p{L}_$][\p{L}\d_$]*/gu))
  // A group is used as a whole where it is indexed, passed on, or kept under another name.
  const [indexed, whole] = [/([\p{L}_$][\p{L}\d_$]*)\[/gu, /(?:\(|= |=\{)(?:\w+\.)*(\w+)(?=[)}\n])/g]
  const chosen = new Set([indexed, whole].flatMap((one) => [...all.matchAll(one)].map(([, name]) => name)))
  const unused = leavesOf(en).filter(([path]) => !used.has(path.at(-1)!) && !chosen.has(path.at(-2)!))
  assert.deepEqual(
    unused.map(([path]) => path.join('.')),
    [],
  )
})

/** Words of both languages. */
const alike = new Set([
  'Auto',
  'Enter',
  '⇧',
  'AUC',
  'Checkpoint',
  'Encoder',
  'Fréchet',
  'Policy',
  'Policies',
  'Guidance',
  'Prompt',
  'Prompts',
])

test('German says everything in words of its own, with the same numbers and names', () => {
  const inGerman = new Map(leavesOf(de).map(([path, text]) => [path.join('.'), text]))
  for (const [path, text] of leavesOf(en)) {
    const name = path.join('.')
    const other = inGerman.get(name)
    assert.equal(typeof other, typeof text, name)
    if (!alike.has(String(text))) assert.notEqual(String(other), String(text), `${name} is still English`)
    if (typeof text === 'function') assert.equal((other as () => unknown).length, text.length, `${name}: parameters`)
    else assert.notEqual(String(other).trim(), '', name)
  }
  // By words of the server, which English shows as they are.
  const serverWords = [
    'adminLog.acts',
    'asking.expected',
    'data.formats',
    'errors.byCode',
    'jobs.units',
    'names.metrics',
    'names.stages',
    'runs.deleting.what',
    'settings.hints',
    'settings.labels',
    'train.form.missing',
    'usual',
  ]
  const more = [...inGerman.keys()].filter((name) => !serverWords.some((words) => name.startsWith(`${words}.`)))
  assert.equal(more.length, leavesOf(en).length)
})

test('German knows every code that the studio refuses something with', () => {
  const folder = join(web, '..', 'src', 'studio')
  const sources = globSync('**/*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'))
  const codes = new Set(['unknown-record', 'run-in-use', 'unreachable', 'vocabulary', 'reward', 'internal'])
  for (const file of sources) {
    const source = readFileSync(join(folder, file), 'utf8')
    for (const [, code] of source.matchAll(/(?:refuse|StudioError)\(\s*[\w.]+,\s*'([a-z-]+)'/g)) codes.add(code)
  }
  // A studio that is away has a notice of its own.
  codes.delete('offline')
  assert.ok(codes.size > 15)
  assert.deepEqual(
    [...codes].filter((code) => de.errors.byCode[code] === undefined),
    [],
  )
})

test('German says what each change in the log of admins was', () => {
  const folder = join(web, '..', 'src', 'studio', 'server')
  const sources = globSync('*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'))
  const routes = sources.flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split(/\n +method: '/)
      .slice(1),
  )
  const changes = routes
    .filter((route) => !route.startsWith('get') && /\n +(who: 'admin'|isLogged: true),/.test(route))
    .map((route) => /summary:\s*'([^']*)'/.exec(route)![1])
  assert.ok(changes.length > 30)
  assert.deepEqual(Object.keys(de.adminLog.acts).sort(), changes.sort())
})

test('German names every setting of a form, and explains those that come first', async () => {
  const schemas = await stageSchemas()
  const { hints, labels } = de.settings
  for (const stage of formStages) {
    const [own, { flags }] = [ownFields(stage), schemas[stage]]
    const fields = [...Object.keys(own), ...flags.map(({ field }) => field).filter((field) => !hiddenFields.has(field))]
    assert.deepEqual(
      fields.filter((field) => labels[field] === undefined),
      [],
      stage,
    )
    for (const field of mainFields(stage)) {
      const said = own[field] ?? flags.find((flag) => flag.field === field)
      assert.notEqual(hints[runSentences[field] ?? said!.sentence], undefined, `${stage}: ${field}`)
    }
  }
})

test('German says what each format of judgments is', () => {
  assert.deepEqual(Object.keys(de.data.formats).sort(), Object.keys(formats).sort())
})

test('the usual guidelines are told in German, and those of an admin as they are', () => {
  const examples = usualExamplesFor('shapes').map((one) => ({ ...one, picture: null, prompt: '' }))
  assert.ok(examples.length > 0)
  const usual = { ...usualGuidelines, examples }
  const told = inWordsOf(de, usual)
  const lines = (text: string) => text.split('\n').filter(Boolean)
  for (const [i, line] of lines(usualGuidelines.text).entries()) assert.notEqual(lines(told.text)[i], line)
  for (const [i, { code, label }] of usualGuidelines.reasons.entries()) {
    assert.equal(told.reasons[i].code, code)
    assert.notEqual(told.reasons[i].label, label)
  }
  for (const [i, { note }] of examples.entries()) assert.notEqual(told.examples[i].note, note)
  assert.deepEqual(inWordsOf(en, usual), usual)
  const own = { ...usual, text: `${usualGuidelines.text}\n\nMind the hands.` }
  assert.equal(inWordsOf(de, own).text, own.text)
})

test('the first of the wanted languages that there is', () => {
  assert.equal(languageAmong(['fr-CH', 'de-AT', 'en']), 'de')
  assert.equal(languageAmong(['EN-us', 'de']), 'en')
  assert.equal(languageAmong(['fr', 'deutsch']), 'en')
  assert.equal(languageAmong([]), 'en')
})

test('numbers, plurals and times as each language writes them', () => {
  assert.deepEqual([0.9137, -18.44, 1536, 20_000, 1234.5, Infinity].map(english.figure), [
    '0.914',
    '−18.4',
    '1536',
    '20,000',
    '1235',
    'Infinity',
  ])
  assert.deepEqual([0.9137, -18.44, 1536, 20_000, 0.00012].map(german.figure), [
    '0,914',
    '−18,4',
    '1536',
    '20.000',
    '1,2e−4',
  ])
  assert.equal(english.percent(0.4666, 1), '46.7 %')
  assert.equal(german.percent(0.4666, 1), '46,7 %')
  const forms = { one: 'Bild', other: 'Bilder' }
  assert.deepEqual(
    [0, 1, 2].map((count) => german.counted(count, forms)),
    ['0 Bilder', '1 Bild', '2 Bilder'],
  )
  assert.equal(german.listed(['a', 'b', 'c']), 'a, b und c')
  const now = new Date('2026-11-14T12:00:00Z')
  const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString()
  assert.deepEqual(
    [0, 12, 180].map((minutes) => german.ago(before(minutes), now)),
    ['jetzt', 'vor 12 Min.', 'vor 3 Std.'],
  )
  assert.match(english.ago(before(12), now), /^12 min/)
  assert.match(english.ago(before(9000), now), /^8 Nov/)
})
