/** The OpenAPI document, made from the routes and their schemas. */
import { z } from 'zod'
import { version } from '../../../scripts/setup/places.mjs'
import { Failure } from '../schemas/basics.ts'
import { sessionCookie } from './access.ts'
import type { Route } from './route.ts'

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _version, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  return rest
}
const json = (schema: object) => ({ content: { 'application/json': { schema } } })

export function openApiOf(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Attune studio', version },
    paths,
    components: {
      schemas: { Failure: jsonSchema(Failure, 'output') },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'Of somebody who has signed in.' },
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A key for scripts, attune_…, which people make on the page of their account. Needs no x-attune: 1.',
        },
      },
    },
  }
}

function operationOf({ summary, who, inPerson = false, params, query, body, form, answer }: Route): object {
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')]
  const content =
    typeof answer === 'string'
      ? { content: { [answer]: { schema: { type: 'string', format: 'binary' } } } }
      : json(jsonSchema(answer, 'output'))
  return {
    summary,
    description: { open: 'For everybody.', rater: 'For raters and admins.', admin: 'For admins.' }[who],
    security: who === 'open' ? [] : inPerson ? [{ session: [] }] : [{ session: [] }, { key: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, ...json(jsonSchema(body, 'input')) } }),
    ...(form !== undefined && {
      requestBody: { required: true, content: { 'multipart/form-data': { schema: jsonSchema(form, 'input') } } },
    }),
    responses: {
      200: { description: 'Done.', ...content },
      default: { description: 'Refused.', ...json({ $ref: '#/components/schemas/Failure' }) },
    },
  }
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): object[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, object>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
}
