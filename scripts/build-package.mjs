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

/** The compiler leaves `import('./x.ts')` as it is in a block that has a `using`, which it writes out. */
function nameEmitted(file) {
  const text = readFileSync(file, 'utf8')
  const named = text.replace(/\bimport\((['"])(\.[^'"]*)\.ts\1\)/g, 'import($1$2.js$1)')
  if (named !== text) writeFileSync(file, named)
}

/** Into another folder first, without types being checked once more: `npm run check` does that. */
function emit() {
  const started = Date.now()
  const partial = join(project, 'build', `dist-${process.pid}.partial`)
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  const words = [compiler, '-p', 'tsconfig.package.json', '--outDir', partial]
  const { status } = spawnSync(process.execPath, words, { cwd: project, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(1)
  for (const file of globSync('**/*.js', { cwd: partial })) nameEmitted(join(partial, file))
  rmSync(out, { recursive: true, force: true })
  renameSync(partial, out)
  writeFileSync(digestFile, digest)
  say(`JavaScript and types of src/ written in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
