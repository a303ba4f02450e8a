/** Raters as their pages behave, over connections that stay open; each from an address of its own, as 200 people would be. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { random } from '../../src/random.ts'
import type { Tasks } from '../../src/studio/schemas/labelling.ts'
import { sessionCookie } from '../../src/studio/server/access.ts'

export interface Work {
  readonly port: number
  readonly tokens: readonly string[]
  /** Mean pause before the answers of a task are submitted; drawn between half and one and a half of it. */
  readonly thinkMs: number
  readonly seconds: number
}

export interface Measured {
  /** Of each task: submitting its answers. */
  readonly answeringMs: readonly number[]
  /** Of each task: getting it. */
  readonly askingMs: readonly number[]
  readonly judgments: number
  readonly seconds: number
}

/** Pauses of a rater. */
const raterStream = (place: number) => [2, place] as const

/** How often a page asks how things stand. */
const stateEveryMs = 8000
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export async function rateTogether({ port, tokens, thinkMs, seconds }: Work): Promise<Measured> {
  const [answeringMs, askingMs]: [number[], number[]] = [[], []]
  let judgments = 0
  const began = performance.now()
  const endsAt = began + seconds * 1000

  async function rate(token: string, place: number): Promise<void> {
    const ask = connection(port, token, place)
    const stream = random(...raterStream(place))
    const think = () => pause(thinkMs * (0.5 + stream.uniform()))
    const next = async () => ((await ask('GET', '/api/tasks?count=1')) as Tasks).tasks.at(0)
    let stateAt = began + stateEveryMs * stream.uniform()
    let task = await next()
    // they do not begin in step
    await pause(thinkMs * stream.uniform())
    while (task !== undefined && performance.now() < endsAt) {
      await think()
      const answers = task.images.map(({ id }) => ({
        id: randomUUID(),
        kind: 'good-bad-skip',
        images: [id],
        answer: stream.pick(['good', 'bad', 'good', 'bad', 'skip']),
        at: new Date().toISOString(),
        durationMs: thinkMs,
      }))
      const submitted = performance.now()
      await ask('POST', '/api/judgments', { judgments: answers })
      const answered = performance.now()
      task = await next()
      answeringMs.push(answered - submitted)
      askingMs.push(performance.now() - answered)
      judgments += answers.length
      if (performance.now() < stateAt) continue
      stateAt += stateEveryMs
      await ask('GET', '/api/state')
    }
  }

  await Promise.all(tokens.map(rate))
  return { answeringMs, askingMs, judgments, seconds: (performance.now() - began) / 1000 }
}

/** Asks as one of the accounts, over a connection that stays open. */
export function connection(port: number, token: string, place: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 })
  const localAddress = `127.0.${1 + Math.floor(place / 250)}.${1 + (place % 250)}`
  const ask = (method: string, path: string, body?: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers = {
        cookie: `${sessionCookie}=${token}`,
        'x-attune': '1',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      }
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent, localAddress }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(JSON.parse(text))
          else reject(new TypeError(`${method} ${path}: status ${answer.statusCode}, ${text}`))
        })
      })
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // the server closes a connection that has been idle, as browsers know
        if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(ask(method, path, body))
        else reject(error)
      })
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return ask
}
