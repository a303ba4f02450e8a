/** The studio's HTTP interface as a Hono app: routes, what guards them, and the pages. */
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { Studio } from '../studio.ts'
import { accountRoutes } from './accounts.ts'
import { compareRoutes } from './compare.ts'
import { addressOf, guardAccess, Limiter, userOf } from './access.ts'
import { notFound, refusalOf, refuse } from './failures.ts'
import { imageRoutes } from './images.ts'
import { jobRoutes } from './jobs.ts'
import { labellingRoutes } from './labelling.ts'
import { openApiOf } from './openapi.ts'
import { servePages } from './pages.ts'
import { raterRoutes } from './raters.ts'
import { reportRoutes } from './reports.ts'
import { rewardRoutes } from './rewards.ts'
import { roundRoutes } from './rounds.ts'
import type { Call, Route } from './route.ts'
import { refuseForeign, setHeaders } from './security.ts'
import { stateRoutes } from './state.ts'
import { transferRoutes } from './transfer.ts'

export const routes: readonly Route[] = [
  ...stateRoutes,
  ...labellingRoutes,
  ...imageRoutes,
  ...raterRoutes,
  ...jobRoutes,
  ...roundRoutes,
  ...compareRoutes,
  ...rewardRoutes,
  ...reportRoutes,
  ...transferRoutes,
  ...accountRoutes,
]

const usualLimit = 1_000_000

export function studioApp(studio: Studio): Hono {
  const limiter = new Limiter()
  const app = new Hono()
  app.onError((error, context) => {
    const { status, body } = refusalOf(error, studio.workspace)
    if (status === 429) context.header('retry-after', String(Math.ceil(60 - ((Date.now() / 1000) % 60))))
    return context.json(body, status as ContentfulStatusCode)
  })
  app.use(setHeaders)
  app.use(refuseForeign(studio))
  app.use(guardAccess(studio))
  for (const route of routes) {
    const limit = bodyLimit({ maxSize: route.bodyLimit ?? usualLimit, onError: () => tooLarge(route) })
    app.on(route.method, [route.path], limit, (context) => {
      if (studio.login && route.perMinute !== undefined)
        limiter.count(`${addressOf(context, studio.publicUrl)} ${route.path}`, route.perMinute)
      return answer(route, context, studio)
    })
  }
  app.get('/api/openapi.json', (context) => context.json(openApiOf(routes)))
  app.all('/api/*', () => {
    throw notFound('route')
  })
  app.get('*', servePages(studio.pages))
  app.notFound(() => {
    throw notFound('page')
  })
  return app
}

async function answer(route: Route, context: Context, studio: Studio): Promise<Response> {
  const { user, rater } = await userOf(context, route, studio)
  const call = {
    studio,
    user,
    rater,
    params: checkedParams(route, context),
    query: checked(route.query, context.req.query(), 'query'),
    body: route.body === undefined ? undefined : checked(route.body, await bodyOf(context), 'body'),
    request: context.req.raw,
  } as Call<never, never, never>
  const given = await route.handle(call)
  if (typeof route.answer === 'string' || given instanceof Response) return given as Response
  return context.json(route.answer.parse(given) as object)
}

/** What cannot be a name or an id is not there. */
function checkedParams({ params }: Route, context: Context): unknown {
  if (params === undefined) return {}
  const parsed = params.safeParse(context.req.param())
  if (parsed.success) return parsed.data
  throw notFound('name or id')
}

async function bodyOf(context: Context): Promise<unknown> {
  if (!(context.req.header('content-type') ?? '').startsWith('application/json')) {
    throw refuse(415, 'media-type', {
      where: 'body',
      expected: 'application/json',
      received: 'another content type',
      remedy: 'send JSON',
    })
  }
  try {
    return await context.req.json()
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw refuse(400, 'format', {
      where: 'body',
      expected: 'JSON',
      received: 'something else',
      remedy: 'mend the request',
      cause,
    })
  }
}

function checked(schema: z.ZodType | undefined, value: unknown, where: 'query' | 'body'): unknown {
  if (schema === undefined) return value
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw refuse(400, 'config', {
    where: [where, ...issue.path.map(String)].join(' ').slice(0, 200),
    expected: issue.message.slice(0, 500),
    received: 'another value',
    remedy: 'mend the request',
  })
}

function tooLarge({ bodyLimit: most = usualLimit }: Route): never {
  throw refuse(413, 'too-large', {
    where: 'body',
    expected: `at most ${Math.round(most / 1e6)} MB`,
    received: 'more',
    remedy: 'send less at once',
  })
}
