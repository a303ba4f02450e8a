/** What README.md and docs/ say of the program is so: links, folders, metrics, error codes and flags of other programs. */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { z } from 'zod'
import { pageWith, tables } from '../recipes/results-tables.ts'
import { CheckConfig } from '../src/check/run-check.ts'
import { flagName, flagsOf, parseConfig, type Flag, type StageSchema } from '../src/config.ts'
import * as errors from '../src/errors.ts'
import { ExportConfig } from '../src/feedback/export-labels.ts'
import { ImportConfig } from '../src/feedback/import-labels.ts'
import { SheetConfig } from '../src/feedback/make-sheets.ts'
import { UploadConfig } from '../src/feedback/upload-images.ts'
import { insteadOf } from '../src/foreign-flags.ts'
import { GenerateConfig } from '../src/images/generate-images.ts'
import { LaunchConfig, partLaunch } from '../src/launch.ts'
import { FetchConfig } from '../src/networks/checkpoint/fetch-model.ts'
import { InspectConfig } from '../src/networks/inspect-model.ts'
import { BestOfNConfig } from '../src/policy/choose-best-of-n.ts'
import { PolicyExportConfig } from '../src/publish/export-policy.ts'
import { PublishConfig } from '../src/publish/publish-policy.ts'
import { trainToy } from '../src/policy/toy-training.test-helper.ts'
import { policySchema } from '../src/policy/train-policy.ts'
import { ReportConfig } from '../src/report/report-config.ts'
import { RewardTrainConfig } from '../src/reward/training/reward-train-config.ts'
import { DemoConfig } from '../src/shapes/run-demo.ts'
import { SimulateConfig } from '../src/shapes/simulate-feedback.ts'
import { algorithmOf, policyStages } from '../src/stages.ts'
import { StudyConfig } from '../src/study/run-study.ts'
import { BackupConfig } from '../src/studio/backup/backup-studio.ts'
import { RestoreConfig } from '../src/studio/backup/restore-studio.ts'
import { InviteConfig } from '../src/studio/invite-to-studio.ts'
import { refusalOf } from '../src/studio/server/failures.ts'
import { StudioConfig } from '../src/studio/start-studio.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: root })]

const schemas: Readonly<Record<string, StageSchema>> = {
  setup: z.strictObject({}),
  check: CheckConfig,
  demo: DemoConfig,
  study: StudyConfig,
  studio: StudioConfig,
  launch: LaunchConfig,
  'studio invite': InviteConfig,
  'studio backup': BackupConfig,
  'studio restore': RestoreConfig,
  'model inspect': InspectConfig,
  'model fetch': FetchConfig,
  'images generate': GenerateConfig,
  'images upload': UploadConfig,
  'feedback sheet': SheetConfig,
  'feedback import': ImportConfig,
  'feedback simulate': SimulateConfig,
  'feedback export': ExportConfig,
  'reward train': RewardTrainConfig,
  'policy best-of-n': BestOfNConfig,
  ...(await policySchemas()),
  'policy export': PolicyExportConfig,
  'policy publish': PublishConfig,
  report: ReportConfig,
}

async function policySchemas(): Promise<Record<string, StageSchema>> {
  const all = policyStages.map(async (stage) => [stage, await policySchema(stage)] as const)
  return Object.fromEntries<StageSchema>(await Promise.all(all))
}

/** The rows of the tables below a heading, up to the next heading of any level; cells without their padding. */
function tableRows(page: string, heading: string): string[][] {
  const from = page.indexOf(`\n${heading}\n`)
  assert.notEqual(from, -1, `no heading ${heading}`)
  const [section] = page.slice(from + heading.length + 2).split(/\n#+ /)
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  const cells = lines.map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())) // prettier-ignore
  const rows = cells.filter((row, i) => !isRule(row) && !isRule(cells[i + 1] ?? []))
  assert.ok(rows.length > 0, `no table below ${heading}`)
  return rows
}
const isRule = (row: readonly string[]) => row.length > 0 && row.every((cell) => /^-+$/.test(cell))

/** What stands between backticks. */
const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)

const withoutCode = (page: string) => page.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** Anchors as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>()
  const headings = [...page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)]
  return new Set(
    headings.map(([, heading]) => {
      const slug = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-') // prettier-ignore
      const count = seen.get(slug) ?? 0
      seen.set(slug, count + 1)
      return count === 0 ? slug : `${slug}-${count}`
    }),
  )
}

test('every relative link leads to a file that is there, and to a heading of it', () => {
  const broken = pages.flatMap((page) =>
    [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path, anchor] = target.split('#')
        const file = path === '' ? page : join(dirname(page), path)
        if (!existsSync(join(root, file))) return true
        return anchor !== undefined && !anchorsOf(read(file)).has(anchor)
      })
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('the README is short, leads to every page of docs, and keeps the place of the results', () => {
  const readme = read('README.md')
  assert.ok(readme.split('\n').length <= 160, 'at most 160 lines')
  assert.deepEqual(
    pages.filter((page) => page !== 'README.md' && !readme.includes(`](${page})`)),
    [],
  )
  for (const mark of ['<!-- results -->', '<!-- /results -->']) assert.equal(readme.split(mark).length, 2)
})

test('tables of results say what docs/results.csv does', async () => {
  for (const table of tables) assert.equal(await pageWith(table), read(table.file), table.file)
})

test('the picture of the house has every folder, and nothing that is not there', () => {
  const picture = read('README.md').split('## The house')[1].split('```')[1]
  const [top, inside] = [/^([^\s]+(?: {2}[a-z]+\/)*)/gm, /^ {2}([^\s]+)/gm].map((pattern) =>
    [...picture.slice('text\n'.length).matchAll(pattern)].flatMap(([, names]) => names.split(/ +/)),
  )
  assert.deepEqual(
    [...top, ...inside.map((name) => `src/${name}`)].filter((name) => !existsSync(join(root, name))),
    [],
  )
  assert.ok(top.includes('native/') && inside.includes('cli.ts'))
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.deepEqual(
    folders.map(({ name }) => `${name}/`).filter((name) => !inside.includes(name)),
    [],
  )
})

describe('docs/glossary.md', () => {
  const glossary = read('docs/glossary.md')
  const keysUnder = (heading: string) => tableRows(glossary, heading).flatMap(([key]) => codesIn(key))
  const common = keysUnder('### Of every training')

  for (const stage of policyStages) {
    test(`has the metrics of ${stage}, and no others`, () => {
      const name = algorithmOf(stage)
      const type = name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
      const members = membersOf(`src/policy/algorithms/${name}.ts`, `${type}Metrics`)
      const heading = `### \`${stage}\``
      assert.deepEqual(members === undefined ? [] : keysUnder(heading).sort(), members?.sort() ?? [])
      if (members === undefined) assert.ok(!glossary.includes(`\n${heading}\n`))
    })
  }

  const ofFamily = keysUnder('### Of policy gradient on a reward')
  test('has the metrics that methods of policy gradient have in common', () => {
    const file = 'src/policy/policy-gradient/online-trainer.ts'
    const members = ['OnlineMetrics', 'ComparedMetrics'].flatMap((name) => membersOf(file, name)!)
    assert.deepEqual(ofFamily.toSorted(), members.sort())
  })

  test('has every key that a training run writes', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-docs-'))
    t.after(() => rmSync(folder, { recursive: true }))
    await trainToy(join(folder, 'run'), { alarms: 'warn' })
    const lines = readFileSync(join(folder, 'run', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const written = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)))
    const known = new Set([...common, ...ofFamily, ...keysUnder('### `policy dpok`')])
    assert.deepEqual([...written].filter((key) => !known.has(key)), []) // prettier-ignore
    for (const key of ['probe_held_out_reward', 'alarm']) assert.ok(common.includes(key), key)
    const probes = ['src/policy/sample-images.ts', 'src/shapes/probe-alignment.ts'].map(read).join('\n')
    for (const key of ['alignment', 'alignment_score']) {
      assert.ok(common.includes(key) && probes.includes(`${key}:`), key)
    }
  })

  const complaint = { where: 'a', expected: 'b', received: 'c', remedy: 'd' }
  const rows = tableRows(glossary, '## Error codes')
  const own = rows.filter((row) => row.length === 5)

  test('has the code, exit code and status of every error', () => {
    const made = Object.values(errors).flatMap((value) => {
      if (typeof value !== 'function' || !(value.prototype instanceof errors.AttuneError)) return []
      if (value === errors.StudioError) return []
      return [new (value as new (facts: errors.Complaint, exitCode?: 1 | 2) => errors.AttuneError)(complaint)]
    })
    const workspace = { folder: '/', name: '', at: () => '' }
    assert.deepEqual(
      own.map(([code, name, exit, status]) => [...codesIn(code), ...codesIn(name), exit, status]).sort(),
      made
        .map((error) => [
          error.code,
          error.name,
          error instanceof errors.ProcessError ? '1 or 2' : String(error.exitCode),
          String(refusalOf(error, workspace).status),
        ])
        .sort(),
    )
  })

  test('has the codes and statuses with which the studio refuses', () => {
    const listed = new Map(rows.filter((row) => row.length === 3).map(([code, status]) => [codesIn(code)[0], status]))
    const files = globSync('src/studio/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
    const sources = files.map(read).join('\n')
    const refused = [...sources.matchAll(/(?:refuse|new StudioError)\(\s*(\d+|status),\s*'([a-z-]+)'/g)]
    assert.ok(refused.length > 20)
    const known = new Set(own.flatMap(([code]) => codesIn(code)))
    const missing = refused
      .filter(([, , code]) => !known.has(code))
      .filter(([, status, code]) => listed.get(code) !== (status === 'status' ? 'any' : status))
      .map(([, status, code]) => `${code} ${status}`)
    assert.deepEqual(missing, [])
    assert.deepEqual(
      [...listed.keys()].filter((code) => !sources.includes(`'${code}'`)),
      [],
    )
  })
})

/** Names of the members of an interface; undefined where the file has none of that name. */
function membersOf(file: string, name: string): string[] | undefined {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
  const found = source.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name)
  if (found === undefined || !ts.isInterfaceDeclaration(found)) return undefined
  return found.members.map((member) => (member.name as ts.Identifier).text)
}

describe('docs/coming-from.md', () => {
  const page = read('docs/coming-from.md')
  const headings = [...page.matchAll(/^## .*$/gm)].map(([heading]) => heading)

  for (const heading of headings) {
    test(`${heading.slice(3)}: the flags are there, and the program tells the same`, () => {
      const wrong: string[] = []
      for (const [theirs, ours, commands] of tableRows(page, heading)) {
        for (const command of codesIn(commands)) {
          const known = knownFlags(schemas[command])
          for (const their of codesIn(theirs)) {
            const own = flagName(their.replace(/^--/, '').replaceAll('_', '-'))
            const meant = ours === 'the same' ? own : codesIn(ours)[0]
            const told = insteadOf(their, known)
            const is =
              ours === 'none'
                ? !known.includes(own) && !(told ?? '').startsWith('did you mean')
                : known.includes(meant) &&
                  (own === meant || (!known.includes(own) && (told ?? '').startsWith(`did you mean ${meant}?`)))
            if (!is) wrong.push(`${command} ${their}: ${ours} here, ${told ?? 'nothing'} there`)
          }
        }
      }
      assert.deepEqual(wrong, [])
    })
  }
})

test('every command that is printed is one', () => {
  const wrong: string[] = []
  let count = 0
  for (const page of pages) {
    const blocks = [...read(page).matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block)
    const inline = [...read(page).matchAll(/`((?:np[mx]|bin\/attune)[^`…]*)`/g)].map(([, line]) => line)
    const lines = [...blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n')), ...inline]
    for (const line of lines) {
      const words = line.replace(/ +#.*$/, '').trim().replace(/^npm start(?: --)?/, 'attune studio').replace(/^npm run (demo|study)(?: --)?/, 'attune $1').replace(/^npx attune/, 'attune').replace(/^(?:npm run attune --|bin\/attune)/, 'attune').split(/\s+/) // prettier-ignore
      if (words[0] !== 'attune' || words.length === 1) continue
      count++
      const complaint = complaintOf(words.slice(1))
      if (complaint !== undefined) wrong.push(`${page}: ${line}: ${complaint}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(count > 15, `${count} commands`)
})

/** What is wrong with the words of a command; undefined where it could be run. */
function complaintOf(words: readonly string[]): string | undefined {
  const { own, command } = partLaunch(words[0] === 'launch' ? words.slice(1) : [])
  if (command.length > 0) return complaintOf(['launch', ...own]) ?? complaintOf(command)
  const stage = [2, 1].map((length) => words.slice(0, length).join(' ')).find((name) => Object.hasOwn(schemas, name))
  if (stage === undefined) return 'no such command'
  const given: Record<string, unknown> = {}
  const rest = words.slice(stage.split(' ').length)
  while (rest.length > 0) {
    const word = rest.shift()!
    const isNegated = (one: Flag) => one.type === 'boolean' && word === `--no-${one.flag.slice(2)}`
    const flag = flagsOf(schemas[stage]).find((one) => one.flag === word || isNegated(one))
    if (!word.startsWith('--') && stage.startsWith('model ')) given.model = word
    else if (!word.startsWith('--') && /^studio (backup|restore)$/.test(stage)) given.file = word
    else if (!word.startsWith('--') && stage === 'policy publish') {
      given[given.policy === undefined ? 'policy' : 'repository'] = word
    } else if (flag === undefined) return `no flag ${word}`
    else given[flag.field] = flag.type === 'boolean' ? !isNegated(flag) : rest.shift()
  }
  try {
    parseConfig(schemas[stage], { stage, flags: given })
  } catch (error) {
    return String(error)
  }
  return undefined
}

test('every flag that is named is one of a command', () => {
  const known = new Set(Object.values(schemas).flatMap(knownFlags))
  // of every command, and of scripts/ and bench/
  const elsewhere = new Set(['--config', '--help', '--inputs', '--reader', '--python', '--sizes', '--rounds', '--tiny'])
  const foreign = new Set(['docs/coming-from.md', 'docs/log.md', 'docs/scale.md'])
  const wrong = pages
    .filter((page) => !foreign.has(page))
    .flatMap((page) =>
      [...read(page).matchAll(/(?<![\w-])--[a-z][\w-]*/g)]
        .map(([flag]) => flag)
        .filter((flag) => !known.has(flag) && !elsewhere.has(flag))
        .map((flag) => `${page}: ${flag}`),
    )
  assert.deepEqual(wrong, [])
})

const knownFlags = (schema: StageSchema) =>
  flagsOf(schema).flatMap(({ flag, type }) => (type === 'boolean' ? [flag, flag.replace('--', '--no-')] : [flag]))
