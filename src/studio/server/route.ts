/**
 * A route of the HTTP interface as one declaration: what it takes, who may call it, what it answers. The app is made of
 * these, and so is the OpenAPI document.
 */
import type { z } from 'zod'
import type { User } from '../schemas/accounts.ts'
import type { Studio } from '../studio.ts'
import type { ReceivedForm } from './forms.ts'

type Method = 'get' | 'post' | 'put' | 'delete'

/** What a handler gets: everything is checked. */
export interface Call<Params, Query, Body> {
  readonly studio: Studio
  readonly user: User
  /** Name of the key that a script calls by; null: somebody has signed in. */
  readonly key: string | null
  /** Under which name answers are filed. */
  readonly rater: string
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** What a multipart body held; empty on routes without a form. */
  readonly form: ReceivedForm
  readonly headers: Headers
  /** Of the caller, as far as it is known. */
  readonly address: string
  /** `http://127.0.0.1:4870` */
  readonly origin: string
}

/** Of JSON bodies, bytes: a name and a number. */
export const usualLimit = 16_000

interface Facts<B> {
  readonly method: Method
  /** `/api/jobs/:id` */
  readonly path: string
  readonly summary: string
  /** `open`: without an account as well. */
  readonly who: 'open' | 'rater' | 'admin'
  /** Of the body, bytes; {@link usualLimit} without it. */
  readonly bodyLimit?: number
  /** How many answers of the rater it brings: they are counted by the minute. */
  readonly answersIn?: (body: B) => number
  /** The body is multipart, and its files wait on the disk: its fields, which the handler checks itself. */
  readonly form?: z.ZodType
  /** A route of raters that the process that leads answers, to all or to admins, as it answers those of admins: what it is made of is in its memory. */
  readonly ledFor?: 'all' | 'admins'
  /** Not by a key: what a key that was lost must not do. */
  readonly inPerson?: boolean
  /** It is in the log of what admins did; every changing route of admins is. */
  readonly isLogged?: boolean
  /** At most so many calls a minute from one address, where accounts are asked for. */
  readonly perMinute?: number
}

export interface Route extends Facts<never> {
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** Of JSON; or the media type of something else, which the handler answers itself. */
  readonly answer: z.ZodType | string
  /** What it changes, as it is: looked at before and after, for the log. Without it the log tells what it answers. */
  readonly state?: (call: Call<never, never, never>) => unknown
  readonly handle: (call: Call<never, never, never>) => unknown
}

/** A route that answers JSON. */
export function jsonRoute<P = unknown, Q = unknown, B = unknown, A = unknown>(
  route: Facts<B> & {
    readonly params?: z.ZodType<P>
    readonly query?: z.ZodType<Q>
    readonly body?: z.ZodType<B>
    readonly answer: z.ZodType<A>
    readonly state?: (call: Call<P, Q, B>) => unknown
    /** Its content, or a whole answer where a header has to be set. */
    readonly handle: (call: Call<P, Q, B>) => A | Response | Promise<A | Response>
  },
): Route {
  return route as Route
}

/** A route that answers something else: an image, a page, a file. */
export function fileRoute<P = unknown, Q = unknown>(
  route: Facts<never> & {
    readonly params?: z.ZodType<P>
    readonly query?: z.ZodType<Q>
    readonly answer: string
    readonly handle: (call: Call<P, Q, unknown>) => Response | Promise<Response>
  },
): Route {
  return route as Route
}
