/** A hub on loopback that takes repositories, large files and commits as huggingface.co does; its storage is another host. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Repository {
  readonly private: boolean
  readonly files: Map<string, Buffer>
  commits: number
}

export interface PublishHub extends AsyncDisposable {
  readonly endpoint: string
  readonly token: string
  readonly repositories: Map<string, Repository>
  /** Large files by their SHA-256. */
  readonly objects: Map<string, Buffer>
  /** `POST /api/repos/create`, in their order. */
  readonly requests: string[]
  /** What a test makes go wrong: by a part of a request's line, how it is answered. */
  readonly faults: Map<
    string,
    { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string }
  >
  /** Large files are taken in parts of so many bytes; in one piece without it. */
  partBytes?: number
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

export async function startPublishHub(owner: string): Promise<PublishHub> {
  const token = 'hf_writer'
  const hub = {
    ...{ token, repositories: new Map<string, Repository>(), objects: new Map<string, Buffer>() },
    ...{ requests: [] as string[], faults: new Map<string, { status: number }>() },
  } as unknown as PublishHub & { endpoint: string }
  const parts = new Map<string, Buffer>()
  let store = ''

  const storage = await listen(async (request, response) => {
    hub.requests.push(`${request.method} storage`)
    if (isFaulty(`${request.method} storage`, response)) return
    // A signed address needs no token, and who sees one there has leaked it.
    if (request.headers.authorization !== undefined) return void response.writeHead(400).end('a token')
    if (request.headers['content-length'] === undefined) return void response.writeHead(411).end()
    const bytes = await bodyOf(request)
    const [, oid, part] = request.url!.split('?')[0].split('/').slice(1)
    if (part !== undefined) {
      parts.set(`${oid} ${part}`, bytes)
      return void response.writeHead(200, { etag: `"${sha256(bytes)}"` }).end()
    }
    if (sha256(bytes) !== oid) return void response.writeHead(400).end()
    hub.objects.set(oid, bytes)
    response.writeHead(200).end()
  })
  const front = await listen(async (request, response) => {
    const url = new URL(request.url!, hub.endpoint)
    const line = `${request.method} ${url.pathname}`
    hub.requests.push(line)
    if (isFaulty(line, response)) return
    if (request.headers.authorization !== `Bearer ${token}`)
      return send(response, 401, { error: 'Invalid username or password.' })
    const text = (await bodyOf(request)).toString()
    if (line === 'POST /api/repos/create') {
      const { type, name, organization, private: isPrivate } = JSON.parse(text) as Record<string, unknown>
      const id = `${String(organization)}/${String(name)}`
      if (type !== 'model' || typeof isPrivate !== 'boolean') return send(response, 400, { error: 'bad body' })
      if (organization !== owner)
        return send(response, 403, {
          error: `You don't have the rights to create a model under the namespace "${String(organization)}"`,
        })
      if (hub.repositories.has(id)) return send(response, 409, { error: 'You already created this model repo' })
      hub.repositories.set(id, { private: isPrivate, files: new Map(), commits: 0 })
      return send(response, 200, { url: `${hub.endpoint}/${id}`, id })
    }
    const id = /^\/(?:api\/models\/)?([^/]+\/[^/.]+)/.exec(url.pathname)?.[1] ?? ''
    const repository = hub.repositories.get(id)
    if (repository === undefined) return send(response, 404, { error: 'Repository not found' })
    if (line === `GET /api/models/${id}`) return send(response, 200, { id, private: repository.private })
    if (line === `POST /api/models/${id}/preupload/main`) {
      const { files } = JSON.parse(text) as { files: { path: string; size: number; sample: string }[] }
      const told = files.map(({ path, size, sample }) => {
        const isText = !Buffer.from(sample, 'base64').includes(0) && size < 1e6
        return { path, uploadMode: isText ? 'regular' : 'lfs', shouldIgnore: false, oid: null }
      })
      return send(response, 200, { files: told })
    }
    if (line === `POST /${id}.git/info/lfs/objects/batch`) {
      const { operation, objects } = JSON.parse(text) as { operation: string; objects: { oid: string; size: number }[] }
      if (operation !== 'upload' || request.headers.accept !== 'application/vnd.git-lfs+json')
        return send(response, 422, {})
      return send(response, 200, { transfer: 'basic', objects: objects.map((one) => placeFor(id, one)) })
    }
    if (line === `POST /${id}/verify`) {
      const { oid, size } = JSON.parse(text) as { oid: string; size: number }
      return send(response, hub.objects.get(oid)?.length === size ? 200 : 422, {})
    }
    if (line === `POST /${id}/complete`) {
      const { oid, parts: told } = JSON.parse(text) as { oid: string; parts: { partNumber: number; etag: string }[] }
      const all = told.map(({ partNumber, etag }) => {
        const part = parts.get(`${oid} ${partNumber}`)!
        return etag === `"${sha256(part)}"` ? part : Buffer.alloc(0)
      })
      const whole = Buffer.concat(all)
      if (sha256(whole) !== oid) return send(response, 400, { error: 'parts' })
      hub.objects.set(oid, whole)
      return send(response, 200, {})
    }
    if (line === `POST /api/models/${id}/commit/main`) {
      if (request.headers['content-type'] !== 'application/x-ndjson') return send(response, 400, { error: 'type' })
      const [first, ...rest] = text
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as { key: string; value: Record<string, string> })
      if (first.key !== 'header' || first.value.summary === '') return send(response, 400, { error: 'header' })
      for (const { key, value } of rest) {
        const content = key === 'file' ? Buffer.from(value.content, 'base64') : hub.objects.get(value.oid)
        if (content === undefined) return send(response, 400, { error: 'no such object' })
        repository.files.set(value.path, content)
      }
      repository.commits++
      return send(response, 200, {
        success: true,
        commitOid: '1'.repeat(40),
        commitUrl: `${hub.endpoint}/${id}/commit/1`,
      })
    }
    send(response, 404, { error: 'Not found' })
  })

  function isFaulty(line: string, response: ServerResponse): boolean {
    const [, fault] = [...hub.faults].find(([part]) => line.includes(part)) ?? []
    if (fault === undefined) return false
    response.writeHead(fault.status, fault.headers).end(fault.text ?? JSON.stringify({ error: 'a fault' }))
    return true
  }

  function placeFor(id: string, { oid, size }: { oid: string; size: number }) {
    if (hub.objects.has(oid)) return { oid, size }
    const verify = { href: `${hub.endpoint}/${id}/verify`, header: {} }
    if (hub.partBytes === undefined)
      return { oid, size, actions: { upload: { href: `${store}/lfs/${oid}?signature=a`, header: {} }, verify } }
    const count = Math.ceil(size / hub.partBytes)
    const places = Array.from({ length: count }, (_, i) => [
      String(i + 1).padStart(5, '0'),
      `${store}/lfs/${oid}/${i + 1}?signature=a`,
    ])
    const header = { chunk_size: String(hub.partBytes), ...(Object.fromEntries(places) as Record<string, string>) }
    return { oid, size, actions: { upload: { href: `${hub.endpoint}/${id}/complete`, header }, verify } }
  }

  const addressOf = (server: ReturnType<typeof createServer>) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  store = addressOf(storage)
  hub.endpoint = addressOf(front)
  hub[Symbol.asyncDispose] = async () => {
    for (const server of [front, storage]) {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    }
  }
  return hub
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return server
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function send(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}
