/**
 * Builds the pages of web/ into build/web. Does nothing while they are made from the same sources: a digest of all that
 * goes in lies beside them. The new pages take the place of the old ones at once.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(project, 'build', 'web')
const digestFile = join(out, 'sources.sha256')

const digest = digestOfSources()
if (!existsSync(digestFile) || readFileSync(digestFile, 'utf8') !== digest) await buildPages()

function digestOfSources() {
  const shared = [
    'src/records.ts',
    'src/errors.ts',
    'src/stages.ts',
    'src/studio/client.ts',
    'scripts/build-web.mjs',
    'package-lock.json',
  ]
  const files = [...globSync(['web/**/*', 'src/studio/schemas/*'], { cwd: project }), ...shared]
  const hash = createHash('sha256')
  for (const file of files.sort()) {
    if (statSync(join(project, file)).isDirectory()) continue
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(project, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

async function buildPages() {
  const started = Date.now()
  const { build } = await import('vite')
  const { default: react } = await import('@vitejs/plugin-react')
  const partial = join(project, 'build', `web-${process.pid}.partial`)
  await build({
    root: join(project, 'web'),
    configFile: false,
    logLevel: 'warn',
    plugins: [react()],
    build: {
      outDir: partial,
      emptyOutDir: true,
      target: 'es2023',
      // Inlined files would be data: addresses, which the pages' content policy refuses for styles and scripts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  })
  writeFileSync(join(partial, 'sources.sha256'), digest)
  mkdirSync(dirname(out), { recursive: true })
  rmSync(out, { recursive: true, force: true })
  renameSync(partial, out)
  process.stderr.write(`set-up: pages built in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}
