/** How a call that the leading process has to answer gets there: over a socket that only this user's processes reach. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { request as send, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { serverOptions } from '../server-options.ts'
import { refuse } from '../server/failures.ts'

/** The address of the caller, as the process knows it that has taken the call. */
const callerHeader = 'x-attune-caller'
/** Headers of one connection (RFC 9110, section 7.6.1). */
const hops = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-connection']
/** How long a call waits where the process that led has just ended. */
const patienceMs = 15_000
const retryMs = 100

const socketOf = (folder: string) => join(folder, 'lead.sock')

/** Answers the calls that other processes pass on. */
export async function answerPassedOn(app: Hono, folder: string): Promise<AsyncDisposable> {
  const fetch = (request: Request) =>
    app.fetch(request, { incoming: { socket: { remoteAddress: request.headers.get(callerHeader) ?? undefined } } })
  const server = createAdaptorServer({ fetch, serverOptions })
  // Left by a process that was killed.
  rmSync(socketOf(folder), { force: true })
  server.listen({ path: socketOf(folder), exclusive: true })
  await once(server, 'listening')
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        server.close(() => closed())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

/**
 * Passes a call on to the process that leads.
 *
 * @param isLeader  whether that is this one by now: then nothing is passed on
 * @returns undefined where this process has come to lead meanwhile
 * @throws {StudioError} none leads, or the one that did has ended in the middle of it
 */
export async function passOn(
  folder: string,
  { request, caller }: { readonly request: Request; readonly caller: string },
  isLeader: () => boolean,
): Promise<Response | undefined> {
  const socket = await reach(folder, isLeader)
  if (socket === undefined) return undefined
  const url = new URL(request.url)
  const headers = new Headers(request.headers)
  for (const name of hops) headers.delete(name)
  headers.set(callerHeader, caller)
  const passed = send({
    method: request.method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(headers),
    createConnection: () => socket,
  })
  request.signal.addEventListener('abort', () => passed.destroy())
  try {
    const answered = once(passed, 'response') as Promise<[IncomingMessage]>
    const body = request.body as ReadableStream | null
    const sent = body === null ? passed.end() : pipeline(Readable.fromWeb(body), passed)
    // The answer may come before all was sent: what is too large is refused at once.
    Promise.resolve(sent).catch(() => undefined)
    const [answer] = await answered
    return responseOf(answer, request.method)
  } catch (cause) {
    throw unavailable(cause)
  }
}

function responseOf(answer: IncomingMessage, method: string): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headersDistinct)) {
    if (!hops.includes(name)) for (const one of value ?? []) headers.append(name, one)
  }
  const status = answer.statusCode ?? 502
  const isEmpty = method === 'HEAD' || [204, 205, 304].includes(status)
  if (isEmpty) answer.resume()
  return new Response(isEmpty ? null : (Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>), {
    status,
    headers,
  })
}

/** A connection to the process that leads, once there is one. */
async function reach(folder: string, isLeader: () => boolean): Promise<Socket | undefined> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    if (isLeader()) return undefined
    const socket = connect(socketOf(folder))
    try {
      await once(socket, 'connect')
      return socket
    } catch (cause) {
      if (performance.now() > giveUpAt) throw unavailable(cause)
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

const unavailable = (cause: unknown) =>
  refuse(503, 'unavailable', {
    where: 'studio',
    expected: 'the process that runs the jobs',
    received: 'one that has just ended',
    remedy: 'try again in a moment',
    cause,
  })
