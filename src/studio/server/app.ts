/** The studio's HTTP interface as a Hono app: routes, what guards them, and the pages. */
import { Hono, type Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { User } from '../schemas/accounts.ts'
import type { Studio } from '../studio.ts'
import { accountRoutes } from './accounts.ts'
import { commentRoutes } from './comments.ts'
import { backupRoutes } from './backup.ts'
import { compareRoutes } from './compare.ts'
import { addressOf, guardAccess, Limiter, mostAnswersOfRater, mostCallsOfRater, userOf } from './access.ts'
import { Budget, textOf, usualPatience, type Patience, type Reading } from './bodies.ts'
import { deviceRoutes } from './devices.ts'
import { diskRoutes } from './disk.ts'
import { notFound, refusalOf, refuse } from './failures.ts'
import { flagRoutes } from './flags.ts'
import { withForm, type ReceivedForm } from './forms.ts'
import { galleryRoutes } from './gallery.ts'
import { imageRoutes } from './images.ts'
import { jobRoutes } from './jobs.ts'
import { guidelineRoutes } from './guidelines.ts'
import { labellingRoutes } from './labelling.ts'
import { keyRoutes } from './keys.ts'
import { logRoutes } from './log.ts'
import { inLog, namesIn, stateOf } from './logged.ts'
import { modelRoutes } from './models.ts'
import { openApiOf } from './openapi.ts'
import { servePages } from './pages.ts'
import { playgroundRoutes } from './playground.ts'
import { passwordRoutes } from './passwords.ts'
import { policyRoutes } from './policies.ts'
import { promptRoutes } from './prompts.ts'
import { raterRoutes } from './raters.ts'
import { settlingRoutes } from './settling.ts'
import { refusalPage } from './refusal-page.ts'
import { reportRoutes } from './reports.ts'
import { rewardRoutes } from './rewards.ts'
import { roundRoutes } from './rounds.ts'
import { runTableRoutes } from './run-table.ts'
import { usualLimit, type Call, type Route } from './route.ts'
import { refuseForeign, setHeaders, standingHeaders } from './security.ts'
import { sharingRoutes } from './sharing.ts'
import { stateRoutes } from './state.ts'
import { transferRoutes } from './transfer.ts'

export const routes: readonly Route[] = [
  ...stateRoutes,
  ...labellingRoutes,
  ...guidelineRoutes,
  ...imageRoutes,
  ...commentRoutes,
  ...galleryRoutes,
  ...playgroundRoutes,
  ...raterRoutes,
  ...settlingRoutes,
  ...flagRoutes,
  ...jobRoutes,
  ...deviceRoutes,
  ...diskRoutes,
  ...promptRoutes,
  ...roundRoutes,
  ...runTableRoutes,
  ...compareRoutes,
  ...rewardRoutes,
  ...reportRoutes,
  ...policyRoutes,
  ...sharingRoutes,
  ...modelRoutes,
  ...transferRoutes,
  ...backupRoutes,
  ...accountRoutes,
  ...passwordRoutes,
  ...keyRoutes,
  ...logRoutes,
]

interface AppOptions {
  readonly patience?: Patience
}

/** Of JSON that is being read or answered. */
const jsonBudget = { most: 64e6, mostEach: 8e6 }
/** Of files that are being received or looked at, on the disk: an admin's largest checkpoint, and what comes beside it. */
const fileBudget = { most: 25e9, mostEach: 21e9 }

export function studioApp(studio: Studio, { patience = usualPatience }: AppOptions = {}): Hono {
  const calls = new Limiter()
  const reading = { json: new Budget(jsonBudget), files: new Budget(fileBudget), patience }
  const app = new Hono()
  app.onError((error, context) => {
    const { status, body, retryAfterSeconds } = refusalOf(error, studio.workspace)
    if (retryAfterSeconds !== undefined) context.header('retry-after', String(retryAfterSeconds))
    const isOpened = !context.req.path.startsWith('/api/') && context.req.header('accept')?.includes('text/html')
    if (isOpened) return context.body(refusalPage(body), status as ContentfulStatusCode, standingHeaders)
    return context.json(body, status as ContentfulStatusCode)
  })
  app.use(setHeaders)
  app.use(refuseForeign(studio))
  app.use(guardAccess(studio, calls))
  for (const route of routes) {
    app.on(route.method, [route.path], (context) => answer(route, context, { studio, calls, reading }))
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

interface Serving {
  readonly studio: Studio
  readonly calls: Limiter
  readonly reading: { readonly json: Budget; readonly files: Budget; readonly patience: Patience }
}

/** Who calls, and how often, is settled before anything of the body is read. */
async function answer(route: Route, context: Context, { studio, calls, reading }: Serving): Promise<Response> {
  const address = addressOf(context, studio.publicUrl)
  if (studio.login && route.perMinute !== undefined) calls.count(`${route.path} ${address}`, route.perMinute)
  const who = await userOf(context, route, studio)
  const { user, rater, key } = who
  const caller = user.name === null ? `address ${address}` : `rater ${rater}`
  if (studio.login && user.name !== null) calls.count(caller, mostCallsOfRater)
  if (isOfLeader(route, user)) {
    const passed = await studio.passOn({ request: context.req.raw, caller: address })
    if (passed !== undefined) return passed
  }
  const logging = { studio, route, address: new URL(context.req.url).pathname, caller: who }
  return await inLog(logging, async (act) => {
    const params = checkedParams(route, context)
    const query = checked(route.query, context.req.query(), 'query')
    const { patience } = reading
    const limit = route.bodyLimit ?? usualLimit
    const { raw } = context.req
    const handled = async (body: unknown, form: ReceivedForm): Promise<Response> => {
      const { headers } = raw
      const { origin } = new URL(raw.url)
      const of = { studio, user, key, rater, params, query, body, form, headers, address, origin }
      const call = of as Call<never, never, never>
      act.asked =
        body ?? (route.form === undefined ? null : { ...form.fields, files: form.files.map(({ name }) => name) })
      act.before = await stateOf(route, call)
      const given = await route.handle(call)
      act.after = route.state === undefined ? namesIn(given) : await stateOf(route, call)
      // Nobody takes what would follow the headers.
      if (raw.method === 'HEAD' && given instanceof Response) await given.body?.cancel()
      if (typeof route.answer === 'string' || given instanceof Response) return given as Response
      return context.json(route.answer.parse(given) as object)
    }
    if (route.form !== undefined) {
      using hold = reading.files.hold(caller)
      return await withForm(studio.workspace, raw, { limit, hold, patience }, (form) => handled(undefined, form))
    }
    if (route.body === undefined) return await handled(undefined, noForm)
    using hold = reading.json.hold(caller)
    const body = checked(route.body, await jsonOf(raw, { limit, hold, patience }), 'body')
    if (studio.login && route.answersIn !== undefined) {
      calls.count(`answers ${caller}`, mostAnswersOfRater, route.answersIn(body as never))
    }
    return await handled(body, noForm)
  })
}

/** Jobs, runs and uploads are those of one process, and so is how often somebody has tried to come in. */
const isOfLeader = ({ who, method, ledFor }: Route, { role }: User): boolean =>
  who === 'admin' ||
  (who === 'open' && method !== 'get') ||
  ledFor === 'all' ||
  (ledFor === 'admins' && role === 'admin')

const noForm: ReceivedForm = { fields: {}, files: [], folder: '' }

/** What cannot be a name or an id is not there. */
function checkedParams({ params }: Route, context: Context): unknown {
  if (params === undefined) return {}
  const parsed = params.safeParse(context.req.param())
  if (parsed.success) return parsed.data
  throw notFound('name or id')
}

async function jsonOf(request: Request, reading: Reading): Promise<unknown> {
  if (!(request.headers.get('content-type') ?? '').startsWith('application/json')) {
    throw refuse(415, 'media-type', {
      where: 'body',
      expected: 'application/json',
      received: 'another content type',
      remedy: 'send JSON',
    })
  }
  const text = await textOf(request, reading)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
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
