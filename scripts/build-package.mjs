/**
 * Makes what `npm pack` puts into the package and git does not hold: JavaScript and types of src/ in dist/, and the pages in
 * build/web. Node reads TypeScript, but not below node_modules. Does nothing while dist/ is made from the same sources.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import './build-web.mjs'
import { digestOf } from './digest.mjs'
import { project } from './setup/places.mjs'
import { say } from './setup/shell.mjs'

const out = join(project, 'dist')
const digestFile = join(project, 'build', 'dist.sha256')
const digest = digestOf([
  ...globSync(['src/**/*.ts', 'tsconfig*.json'], { cwd: project }),
  'scripts/build-package.mjs',
  'package-lock.json',
])
if (!existsSync(out) || !existsSync(digestFile) || readFileSync(digestFile, 'utf8') !== digest) emit()

/** Into another folder first, without types being checked once more: `npm run check` does that. */
function emit() {
  const started = Date.now()
  const partial = join(project, 'build', `dist-${process.pid}.partial`)
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  const words = [compiler, '-p', 'tsconfig.package.json', '--outDir', partial]
  const { status } = spawnSync(process.execPath, words, { cwd: project, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(1)
  rmSync(out, { recursive: true, force: true })
  renameSync(partial, out)
  writeFileSync(digestFile, digest)
  say(`JavaScript and types of src/ written in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
