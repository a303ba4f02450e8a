/** What every answer says to the browser, and which requests are not even looked at. */
import type { MiddlewareHandler } from 'hono'
import type { Studio } from '../studio.ts'
import { bearerOf } from './access.ts'
import { refuse } from './failures.ts'

/** Pages load nothing from elsewhere and run no script but their own files. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Reports and outcomes are pages with their own style and pictures inside, but no script. Without one, being of the same origin
 * gives them nothing; it lets the studio's page around them set their theme and see how high they are.
 */
const standingPolicy = [
  'sandbox allow-same-origin',
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "frame-ancestors 'self'",
].join('; ')

export const standingHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': standingPolicy,
  'x-robots-tag': 'noindex',
} as const

/** A page that stands alone. */
export const standingPage = (page: string | Uint8Array): Response =>
  new Response(typeof page === 'string' ? page : new Uint8Array(page), { headers: standingHeaders })

const changing = new Set(['POST', 'PUT', 'DELETE', 'PATCH'])

/** Sets them on every answer, refusals too. */
export const setHeaders: MiddlewareHandler = async (context, next) => {
  await next()
  const { headers } = context.res
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', contentPolicy)
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  headers.set('x-content-type-options', 'nosniff')
  headers.set('referrer-policy', 'no-referrer')
  headers.set('cross-origin-opener-policy', 'same-origin')
  headers.set('cross-origin-resource-policy', 'same-origin')
  headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=()')
}

/**
 * Refuses what a page of another site could make a browser send: a change without the header that only pages of the same
 * origin can set, or from another origin.
 */
export function refuseForeign({ login, publicUrl }: Pick<Studio, 'login' | 'publicUrl'>): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context
    if (changing.has(req.method)) {
      const origin = req.header('origin')
      // Of a key nothing is left to a browser: no page of another site can set that header either.
      const isScript = login && bearerOf(req.raw.headers) !== undefined
      const isForeign = origin !== undefined && hostOf(origin) !== hostOf(publicUrl ?? req.url)
      if (isForeign || (req.header('x-attune') !== '1' && !isScript) || req.header('sec-fetch-site') === 'cross-site') {
        throw refuse(403, 'forbidden', {
          where: 'request',
          expected: 'the header x-attune: 1, from a page of this studio',
          received: isForeign ? 'another origin' : 'none',
          remedy: 'use the pages, or send the header',
        })
      }
    }
    await next()
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
