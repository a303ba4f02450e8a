/**
 * Runs every test: src/**\/*.test.ts (beside the code) and test/**\/*.test.ts (across stages), two files at a time.
 * Arguments pick files: `npm test` runs all, `node_modules/.bin/node scripts/test.mjs reward run.test` some of them.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const cwd = dirname(dirname(fileURLToPath(import.meta.url)))
const [flags, wanted] = [true, false].map((flag) =>
  process.argv.slice(2).filter((word) => word.startsWith('-') === flag),
)
const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd }).sort()
const files = wanted.length === 0 ? all : all.filter((file) => wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`)
  process.exit(2)
}
const reporter = ['--test-reporter=spec', '--test-reporter-destination=stdout']
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...reporter, ...flags, ...files], {
  cwd,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
