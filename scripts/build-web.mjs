/**
 * Builds the pages of web/ into build/web. Does nothing while they are made from the same sources: a digest of all that
 * goes in lies beside them. The new pages take the place of the old ones at once.
 */
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { digestOf } from './digest.mjs'
import { project } from './setup/places.mjs'
import { say } from './setup/shell.mjs'

const out = join(project, 'build', 'web')
const digestFile = join(out, 'sources.sha256')
const digest = digestOf([
  // Pages share what is free of Node with the server, wherever it lies.
  ...globSync(['web/**/*', 'src/**/*.ts'], { cwd: project }).filter((file) => !/\.test(-helper)?\.ts$/.test(file)),
  ...['scripts/build-web.mjs', 'package-lock.json'],
])
if (!existsSync(digestFile) || readFileSync(digestFile, 'utf8') !== digest) await buildPages()

async function buildPages() {
  const started = Date.now()
  const { build, createLogger } = await import('vite')
  const { default: react } = await import('@vitejs/plugin-react')
  const ofNode = []
  const partial = join(project, 'build', `web-${process.pid}.partial`)
  await build({
    root: join(project, 'web'),
    configFile: false,
    logLevel: 'warn',
    customLogger: listening(createLogger('warn'), ofNode),
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
  if (ofNode.length > 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new Error(ofNode.join('\n'))
  }
  writeFileSync(join(partial, 'sources.sha256'), digest)
  mkdirSync(dirname(out), { recursive: true })
  rmSync(out, { recursive: true, force: true })
  renameSync(partial, out)
  say(`pages built in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** A module of Node is empty in a browser: what imports one fails where it is used. */
function listening(logger, heard) {
  for (const name of ['warn', 'warnOnce']) {
    const tell = logger[name].bind(logger)
    logger[name] = (text, options) => {
      if (text.includes('externalized for browser')) heard.push(text)
      else tell(text, options)
    }
  }
  return logger
}
