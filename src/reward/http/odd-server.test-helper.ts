/** A thread with reward servers of every kind, of which the path says how they are odd. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parentPort } from 'node:worker_threads'

/** Requests so far, by path. */
const asked = new Map<string, number>()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, place] = request.url!.split('/')
  let text = ''
  for await (const piece of request) text += String(piece)
  const count = (asked.get(request.url!) ?? 0) + 1
  asked.set(request.url!, count)
  const send = (status: number, body: unknown, headers = {}) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  if (place === 'info') {
    if (kind === 'silent') return void send(404, 'nothing here')
    if (kind === 'moved') return void send(301, '', { location: '/good/info' })
    if (kind === 'page') return void send(200, '<html>')
    const info = { name: kind, sha256: `of ${kind}`, range: [-2, 2], comparable: 'within a prompt', mostImages: 2 }
    return void send(200, info)
  }
  const { images, prompts } = JSON.parse(text) as { images: string[]; prompts: string[] }
  const scores = prompts.map(Number)
  switch (kind) {
    case 'busy':
      return void (count < 3 ? send(count === 1 ? 503 : 429, 'wait', { 'retry-after': '0' }) : send(200, { scores }))
    case 'broken':
      return void send(500, 'it broke')
    case 'dropping':
      return count < 2 ? void response.destroy() : void send(200, { scores })
    case 'refusing':
      return void send(400, 'no such prompt')
    case 'closed':
      return void send(401, '')
    case 'redirect':
      return void send(307, '', { location: '/good/score' })
    case 'mute':
      return
    case 'short':
      return void send(200, { scores: scores.slice(1) })
    case 'nan':
      return void send(200, '{"scores": [NaN]}')
    case 'text':
      return void send(200, { scores: scores.map(String) })
    case 'huge':
      return void send(200, `{"scores": [${'0,'.repeat(1e6)}0]}`)
    case 'endless': {
      response.writeHead(200)
      const more = () => void (response.destroyed || response.write(' '.repeat(1e5), more))
      return more()
    }
    case 'errors':
      return void send(200, {
        scores: [...scores.slice(1), null],
        errors: [...scores.slice(1).map(() => null), 'too dark'],
      })
    case 'another':
      return void send(200, { scores, sha256: count > 1 ? 'of something else' : 'of another' })
    case 'auth':
      return void send(200, { scores: scores.map(() => (request.headers.authorization === 'Bearer t0ken' ? 1 : 0)) })
    case 'sizes':
      return void send(200, { scores: scores.map(() => images.length) })
    default:
      return void send(200, { scores })
  }
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as { port: number }).port))
