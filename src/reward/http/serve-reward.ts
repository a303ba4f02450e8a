/** `reward serve`: any reward for other programs, over HTTP. The protocol is in docs/file-formats.md. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { basename, resolve } from 'node:path'
import { z } from 'zod'
import { addressTaken } from '../../address-taken.ts'
import { ConfigError } from '../../errors.ts'
import { modelFields, type Open } from '../../images/open-model.ts'
import { isLoopback } from '../../loopback.ts'
import { comparableOf } from '../across-prompts.ts'
import { openReward, rewardFields } from '../open-reward.ts'
import type { Reward } from '../reward.ts'
import {
  mostImages,
  mostRequestBytes,
  ScoreRequest,
  tokenVariable,
  type RewardInfo,
  type ScoreAnswer,
} from './protocol.ts'
import { scoreImages } from './score-images.ts'

/** Settings of `reward serve`. */
export const ServeConfig = z.strictObject({
  ...rewardFields,
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      `Address to listen on. Anything but this machine itself needs a token in ${tokenVariable}; 0.0.0.0 is all addresses.`,
    ),
  port: z.int().min(0).max(65535).default(8650).describe('Port to listen on; 0 takes a free one.'),
  ...modelFields,
})
export type ServeConfig = z.infer<typeof ServeConfig>

/** Requests that wait or are answered, each with its body in memory. */
const mostWaiting = 8
const serverOptions = { headersTimeout: 20_000, requestTimeout: 120_000, connectionsCheckingInterval: 5000 }
const mostConnections = 64

interface RunningServer extends AsyncDisposable {
  /** Where images are to be sent. */
  readonly address: string
}

/** Serves until the process is told to end; what was begun is answered then. */
export async function serveReward(config: ServeConfig, open: Open): Promise<string> {
  const token = process.env[tokenVariable] || undefined
  expectToken(config.host, token)
  const reward = await openReward(config.reward, config, open)
  const running = await startRewardServer(reward, { ...config, token })
  process.stderr.write(`reward: ${config.reward} at ${running.address}\n`)
  await new Promise<void>((ended) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended())
  })
  await running[Symbol.asyncDispose]()
  return running.address
}

function expectToken(host: string, token: string | undefined): void {
  if (isLoopback(host) || token !== undefined) return
  throw new ConfigError({
    where: '--host',
    expected: 'an address of this machine alone, or a token that callers have to know',
    received: `${host} without a token`,
    remedy: `put one into the environment variable ${tokenVariable}, of this program and of those that call it`,
  })
}

/** @throws {ConfigError} the address cannot be had */
export async function startRewardServer(
  reward: Reward,
  { host, port, token }: Pick<ServeConfig, 'host' | 'port'> & { readonly token?: string | undefined },
): Promise<RunningServer> {
  const desk = new Desk(reward, { host, token })
  const server = createServer(serverOptions, (request, response) => void desk.answer(request, response))
  server.maxConnections = mostConnections
  await listen(server, host, port)
  const { port: taken } = server.address() as { port: number }
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return {
    address: `http://${name}:${taken}/score`,
    async [Symbol.asyncDispose]() {
      // Ends idle connections, and waits for the others.
      await new Promise<void>((closed) => server.close(() => closed()))
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((listening, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => failed(addressTaken(host, port, cause)))
    server.listen(port, host, listening)
  })
}

/** What a caller is told in place of an answer. */
class Refusal extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Answers requests, of which one is scored at a time. */
class Desk {
  readonly #reward: Reward
  readonly #host: string
  readonly #token: string | undefined
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(reward: Reward, { host, token }: { readonly host: string; readonly token: string | undefined }) {
    this.#reward = reward
    this.#host = host
    this.#token = token
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, content: unknown, headers: Readonly<Record<string, string>> = {}) => {
      if (response.headersSent || response.destroyed) return
      const body = JSON.stringify(content)
      // The rest of a body that nobody reads would be taken for another request.
      const end = request.complete ? {} : { connection: 'close' }
      response.writeHead(status, { 'content-type': 'application/json', ...end, ...headers })
      response.end(body)
    }
    try {
      send(200, await this.#route(request))
    } catch (error) {
      if (error instanceof Refusal) return send(error.status, { error: error.message }, error.headers)
      if (request.errored) return
      process.stderr.write(`reward: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      send(500, { error: 'something went wrong here; the log of the server has it' })
    }
  }

  async #route(request: IncomingMessage): Promise<unknown> {
    this.#expectHost(request)
    const { pathname } = new URL(request.url ?? '/', 'http://server')
    const expectMethod = (method: string) => {
      if (request.method !== method) throw new Refusal(405, `expected ${method}`, { allow: method })
    }
    switch (pathname) {
      case '/health':
        expectMethod('GET')
        return { status: 'ok', waiting: this.#waiting }
      case '/info':
        expectMethod('GET')
        this.#expectKnown(request)
        return infoOf(this.#reward)
      case '/score':
        expectMethod('POST')
        this.#expectKnown(request)
        return await this.#inTurn(request)
      default:
        throw new Refusal(404, 'expected /score, /info or /health')
    }
  }

  /** A page in a browser may lead a name of its own here; it cannot give another one than that. */
  #expectHost({ headers }: IncomingMessage): void {
    if (this.#token !== undefined) return
    const host = `http://${headers.host ?? ''}`
    const name = URL.canParse(host) ? new URL(host).hostname : ''
    if (!isLoopback(name) && name !== this.#host)
      throw new Refusal(403, 'expected the name of this machine as the host')
  }

  #expectKnown({ headers }: IncomingMessage): void {
    if (this.#token === undefined) return
    const hash = (text: string) => createHash('sha256').update(text).digest()
    if (timingSafeEqual(hash(headers.authorization ?? ''), hash(`Bearer ${this.#token}`))) return
    throw new Refusal(401, 'expected the token of this server', { 'www-authenticate': 'Bearer' })
  }

  async #inTurn(request: IncomingMessage): Promise<ScoreAnswer> {
    // A page of another server may send a form or plain text anywhere, but no JSON.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      throw new Refusal(415, 'expected a body of the type application/json')
    }
    if (this.#waiting >= mostWaiting) {
      throw new Refusal(503, `expected at most ${mostWaiting} requests at once`, { 'retry-after': '1' })
    }
    this.#waiting++
    try {
      const { images, prompts } = parsed(await textOf(request))
      const own = this.#turn.then(() => scoreImages(this.#reward, images, prompts))
      this.#turn = own.catch(() => undefined)
      return await own
    } finally {
      this.#waiting--
    }
  }
}

/** What others may know of it: nothing of the folders here. */
function infoOf(reward: Reward): RewardInfo {
  const { name, sha256, range } = reward
  return {
    name: existsSync(name) ? basename(resolve(name)) : name,
    sha256,
    range: range ? [...range] : null,
    comparable: comparableOf(reward),
    mostImages,
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const tooLarge = () => new Refusal(413, `expected a body of at most ${mostRequestBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > mostRequestBytes) throw tooLarge()
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostRequestBytes) throw tooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

function parsed(text: string): z.infer<typeof ScoreRequest> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, `expected JSON: ${(error as Error).message}`)
  }
  const result = ScoreRequest.safeParse(content)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  throw new Refusal(
    400,
    `expected {"images": [base64 of a PNG, …], "prompts": [a text, …]}: ${path.join('.')} ${message}`.trim(),
  )
}
