/**
 * Runs every test: src/**\/*.test.ts and web/**\/*.test.ts (beside the code), test/**\/*.test.ts (across stages), two files
 * at a time.
 * Arguments pick files: `npm test` runs all, `node_modules/.bin/node scripts/test.mjs reward run.test` some of them.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { say } from './setup/shell.mjs'
import { leftOut } from './setup/test-programs.mjs'

const cwd = dirname(dirname(fileURLToPath(import.meta.url)))
const [flags, wanted] = [true, false].map((flag) =>
  process.argv.slice(2).filter((word) => word.startsWith('-') === flag),
)
const all = globSync(['src/**/*.test.ts', 'web/**/*.test.ts', 'test/**/*.test.ts'], { cwd }).sort()
const files = wanted.length === 0 ? all : all.filter((file) => wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`)
  process.exit(2)
}
// Browser tests see the pages as they are now.
if (files.some((file) => file.includes('browser'))) await import('./build-web.mjs')
const reporter = ['--test-reporter=spec', '--test-reporter-destination=stdout']
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...reporter, ...flags, ...files], {
  cwd,
  stdio: 'inherit',
})
for (const line of wanted.length === 0 ? leftOut() : []) say(line)
process.exitCode = status ?? 1
