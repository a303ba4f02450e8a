/** The built pages. Only what lies in their folder is known by name, so no path of a request is ever opened. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { MiddlewareHandler } from 'hono'
import { notFound } from './failures.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}
const indexName = 'index.html'

const unbuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Attune studio</title>
<h1>The studio runs, but its pages are not built</h1>
<p>Stop it and start it with <code>npm start</code>, which builds them. The interface is described at
<a href="/api/openapi.json">/api/openapi.json</a>.</p>
</html>
`

/** Files by their names; any other name that looks like a page is the app, which has routes of its own. */
export function servePages(folder: string): MiddlewareHandler {
  const index = join(folder, indexName)
  let names = new Set<string>()
  let builtAt: number | undefined
  /** Pages that were built anew have other files. */
  const look = () => {
    const time = statSync(index, { throwIfNoEntry: false })?.mtimeMs
    if (time === builtAt) return
    builtAt = time
    names = new Set(globSync('**/*.*', { cwd: folder }).map((name) => name.replaceAll('\\', '/')))
  }
  return async (context) => {
    const wanted = context.req.path.slice(1)
    if (/^(images|reports|api)(\/|$)/.test(wanted)) throw notFound('page')
    look()
    if (builtAt === undefined) return context.html(unbuilt)
    if (names.has(wanted) && wanted !== indexName) {
      const caching = wanted.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
      return fileAnswer(join(folder, wanted), caching)
    }
    if (wanted.startsWith('assets/') || extname(wanted) !== '') throw notFound('page')
    return fileAnswer(index, 'no-cache')
  }
}

const fileAnswer = (file: string, caching: string) =>
  new Response(new Uint8Array(readFileSync(file)), {
    headers: { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'cache-control': caching },
  })
