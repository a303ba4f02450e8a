/**
 * Every text field of every request, one after the other, with texts that break careless programs. The fields are those
 * of the OpenAPI document, so a new one cannot be forgotten.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { noPostgres, postgresServer } from '../../feedback/store/postgres.test-helper.ts'
import { addImageRun, changing, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { routes } from './app.ts'
import { openApiOf } from './openapi.ts'

const hostile = [
  '<script>alert("1")</script>',
  `'); DROP TABLE judgments; --"\\`,
  '\u202Eشمال \u05D0\u200B',
  '👩‍👩‍👧'.repeat(4),
  '\0',
  'a\0b',
  '\ud800',
  '\u2028\r\nset-cookie: a=b',
  '../../etc/passwd',
  '__proto__',
  '=1+1',
  ' ',
  '',
  'x'.repeat(10_000),
  'x'.repeat(100_000),
]

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly propertyNames?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly minItems?: number
  readonly minimum?: number
  readonly format?: string
  readonly pattern?: string
}

/** A text that is somewhere in a request: given another one, the request with that. */
type Place = (text: string) => unknown
interface Example {
  readonly value: unknown
  readonly places: readonly Place[]
}

/** No word of the embedded model, and no name of a run: no request with it starts anything. */
const plain = 'unicorn'

/** Values that fit a schema, one for each of its forms, with the places of their texts. */
function examplesOf(schema: Schema, image: string): readonly Example[] {
  const forms = schema.anyOf ?? schema.oneOf
  if (forms !== undefined) return forms.flatMap((form) => examplesOf(form, image))
  if (schema.const !== undefined) return [{ value: schema.const, places: [(text) => text] }]
  if (schema.enum !== undefined) return [{ value: schema.enum[0], places: [(text) => text] }]
  switch (schema.type) {
    case 'object': {
      const { properties = {}, additionalProperties } = schema
      const inner = Object.entries(properties).map(([name, of]) => [name, examplesOf(of, image)] as const)
      const named = typeof additionalProperties === 'object' ? examplesOf(additionalProperties, image) : []
      const first = Object.fromEntries([
        ...inner.map(([name, [{ value }]]) => [name, value] as const),
        ...named.slice(0, 1).map(({ value }) => [plain, value] as const),
      ])
      const wide: Example = {
        value: first,
        places: [
          ...inner.flatMap(([name, examples]) =>
            examples.flatMap(({ places }) =>
              places.map((place): Place => (text) => ({ ...first, [name]: place(text) })),
            ),
          ),
          ...named.flatMap(({ value, places }): Place[] => [
            (text) => ({ ...first, ...Object.fromEntries([[text, value]]) }),
            ...places.map((place): Place => (text) => ({ ...first, [plain]: place(text) })),
          ]),
          (text) => ({ ...first, ...Object.fromEntries([[text, text]]) }),
        ],
      }
      return [wide]
    }
    case 'array': {
      const examples = examplesOf(schema.items ?? { type: 'string' }, image)
      const length = Math.max(1, schema.minItems ?? 1)
      return examples.map(({ value, places }) => ({
        value: Array.from({ length }, () => value),
        places: places.map((place): Place => (text) => [
          place(text),
          ...Array.from({ length: length - 1 }, () => value),
        ]),
      }))
    }
    case 'integer':
    case 'number':
      return [{ value: Math.max(1, schema.minimum ?? 1), places: [] }]
    case 'boolean':
      return [{ value: true, places: [] }]
    case 'null':
      return [{ value: null, places: [] }]
    default:
      return [{ value: textOf(schema, image), places: [(text) => text] }]
  }
}

function textOf({ format, pattern }: Schema, image: string): string {
  if (format === 'date-time') return '2026-01-01T00:00:00.000Z'
  if (format === 'uuid') return '6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b111'
  const fits = (text: string) => pattern === undefined || new RegExp(pattern).test(text)
  return [plain, image, 'job-1', '1'].find(fits) ?? plain
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

const { paths } = openApiOf(routes) as { paths: Record<string, Record<string, Operation>> }
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

async function expectRefusedOrDone(answer: Response, what: string): Promise<void> {
  assert.ok(answer.status < 500, `${what}: ${answer.status} ${await answer.clone().text()}`)
  assert.equal(answer.headers.get('set-cookie'), null, what)
  await answer.arrayBuffer()
}

/** Bodies, parts of paths and queries; and the studio can still be read after all of them. */
async function sendEverything(it: TestStudio): Promise<void> {
  const [{ id: image }] = await addImageRun(it.studio, 'round-1', ['two red circles'], { perPrompt: 1 })
  const plainParts = (operation: Operation) => operation.parameters ?? []
  let sent = 0
  for (const { path, method, operation } of operations) {
    const address = (place?: string, text = '') => {
      const valueOf = ({ name, schema }: { name: string; schema: Schema }) =>
        encodeURIComponent((name === place ? text : String(examplesOf(schema, image)[0].value)).toWellFormed())
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const parameter = plainParts(operation).find((one) => one.name === name)!
        return valueOf(parameter)
      })
      const query = plainParts(operation).filter((one) => one.in === 'query' && one.name === place)
      return `${filled}${query.map((one) => `?${one.name}=${valueOf(one)}`).join('')}`
    }
    for (const text of hostile) {
      for (const { name } of plainParts(operation)) {
        const init = changing(method.toUpperCase(), method === 'get' ? undefined : {})
        await expectRefusedOrDone(await it.app.request(address(name, text), init), `${method} ${path} ${name}`)
      }
    }
    const schema = operation.requestBody?.content['application/json']?.schema
    for (const { places } of schema === undefined ? [] : examplesOf(schema, image)) {
      for (const place of places) {
        for (const text of hostile) {
          const body = JSON.stringify(place(text))
          const answer = await it.app.request(address(), changing(method.toUpperCase(), body))
          await expectRefusedOrDone(answer, `${method} ${path} ${body.slice(0, 300)}`)
          sent++
        }
      }
    }
  }
  assert.ok(sent > 1000, `only ${sent} bodies`)
  const needed: Readonly<Record<string, string>> = {
    '/api/export': '?format=jsonl',
    '/api/gallery/export': `?images=${image}`,
    '/api/comments': `?image=${image}`,
    '/api/presets': '?stage=report',
  }
  assert.deepEqual(it.studio.queue.all(), [], 'none of it has started a process')
  for (const { path, method, operation } of operations) {
    if (method !== 'get' || plainParts(operation).some(({ in: place }) => place === 'path')) continue
    const answer = await it.app.request(`${path}${needed[path] ?? ''}`)
    assert.equal(answer.status, accountsOnly.has(path) ? 409 : 200, path)
  }
}

/** There are none without a login. */
const accountsOnly: ReadonlySet<string> = new Set(['/api/invitations', '/api/keys', '/api/password'])

const server = await postgresServer()
after(() => server?.[Symbol.asyncDispose]())

describe('hostile texts', () => {
  test('with SQLite', async () => {
    await using it = await testStudio()
    await sendEverything(it)
  })

  test('with PostgreSQL', { skip: server === undefined ? noPostgres : false }, async () => {
    await using it = await testStudio({ database: await server!.freshDatabase() })
    await sendEverything(it)
  })
})
