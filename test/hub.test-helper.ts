/** A hub on loopback that serves one model as huggingface.co does: API, resolved files, and a storage on another host. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a test makes go wrong. */
interface HubFaults {
  /** The files need a token of an account that accepted the licence. */
  gated?: boolean
  /** By path: the connection breaks after so many bytes of each answer. */
  cutAfter?: Map<string, number>
  /** By path: nothing more comes after so many bytes, and the connection stays open. */
  stallAfter?: Map<string, number>
  /** By path: other bytes than the listing announces. */
  other?: Map<string, Buffer>
  /** By path: the size in the listing. */
  announced?: Map<string, number>
  /** The storage sends whole files whatever range is asked for. */
  ignoresRange?: boolean
  /** Every request to the hub, or to the storage, is answered with this status. */
  status?: number
  storageStatus?: number
  /** Every request to the hub is answered with this text. */
  text?: string
  /** Every request to the hub is sent round in a circle. */
  circle?: boolean
  /** Every request to the hub is sent on to there. */
  sentTo?: string
}

interface HubRequest {
  readonly host: 'hub' | 'storage'
  readonly url: string
  readonly authorization: string | undefined
  readonly range: string | undefined
  readonly encoding: string | undefined
}

export interface TestHub extends AsyncDisposable {
  readonly endpoint: string
  readonly commit: string
  readonly requests: HubRequest[]
  readonly faults: HubFaults
}

const commit = 'c0ffee'.padEnd(40, '0')
const pageSize = 4

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const gitHash = (bytes: Buffer) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
const isLarge = (path: string) => !/\.(json|txt|md)$/.test(path)

/** Serves these files as the revision `main` of `name`. Large files come from the storage, small ones from the hub. */
export async function startHub(name: string, files: ReadonlyMap<string, Buffer>): Promise<TestHub> {
  const requests: HubRequest[] = []
  const faults: HubFaults = {}
  const storage = await listen((request, response) => {
    requests.push(seen('storage', request))
    const path = decodeURIComponent(request.url!.slice('/store/'.length).split('?')[0])
    if (faults.storageStatus !== undefined) return void response.writeHead(faults.storageStatus).end()
    sendFile(path, faults.other?.get(path) ?? files.get(path)!, faults, request, response)
  })
  const hub = await listen((request, response) => {
    requests.push(seen('hub', request))
    answer(request, response)
  })
  const [endpoint, store] = [hub, storage].map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, endpoint)
    const path = decodeURIComponent(url.pathname)
    const refuse = (status: number, code: string, message: string) =>
      void response.writeHead(status, { 'x-error-code': code, 'x-error-message': message }).end()
    if (faults.status !== undefined) return void response.writeHead(faults.status).end()
    if (faults.text !== undefined) return void response.end(faults.text)
    if (faults.sentTo !== undefined) return void response.writeHead(307, { location: faults.sentTo }).end()
    if (faults.circle) return void response.writeHead(307, { location: request.url }).end()
    if (!path.startsWith(`/api/models/${name}/`) && !path.startsWith(`/${name}/`) && !path.startsWith('/cache/')) {
      return refuse(401, 'RepoNotFound', 'Invalid username or password.')
    }
    if (path.startsWith(`/api/models/${name}/revision/`)) {
      const revision = path.split('/revision/')[1]
      if (!['main', 'refs/pr/1', commit].includes(revision)) {
        return refuse(404, 'RevisionNotFound', `Invalid rev id: ${revision}`)
      }
      return sendJson(response, { _id: '1', id: name, sha: commit, gated: false })
    }
    if (path === `/api/models/${name}/tree/${commit}`) {
      const from = Number(url.searchParams.get('cursor') ?? 0)
      url.searchParams.set('cursor', String(from + pageSize))
      const more = from + pageSize < files.size ? { link: `<${url.href}>; rel="next"` } : {}
      const listed = [{ type: 'directory', path: 'unet', size: 0, oid: '0'.repeat(40) }, ...listing()]
      return sendJson(
        response,
        from === 0 ? listed.slice(0, pageSize + 1) : listed.slice(1).slice(from, from + pageSize),
        more,
      )
    }
    if (path.startsWith('/cache/')) {
      const file = path.slice('/cache/'.length)
      response.setHeaders(
        new Map([
          ['x-repo-commit', commit],
          ['etag', `"${gitHash(files.get(file)!)}"`],
        ]),
      )
      return sendFile(file, faults.other?.get(file) ?? files.get(file)!, faults, request, response)
    }
    if (faults.gated && request.headers.authorization !== 'Bearer hf_member') {
      const status = request.headers.authorization === undefined ? 401 : 403
      return refuse(status, 'GatedRepo', `Access to model ${name} is restricted.`)
    }
    const file = path.slice(`/${name}/resolve/${commit}/`.length)
    const bytes = files.get(file)
    if (bytes === undefined) return refuse(404, 'EntryNotFound', 'Entry not found')
    const shared = { 'x-repo-commit': commit, 'x-linked-size': bytes.length }
    const place = file.split('/').map(encodeURIComponent).join('/')
    if (isLarge(file)) {
      const location = `${store}/store/${place}?signature=abc`
      response.writeHead(302, { ...shared, location, 'x-linked-etag': `"${sha256(bytes)}"` }).end()
    } else response.writeHead(307, { ...shared, location: `/cache/${place}` }).end()
  }

  function listing() {
    return [...files].map(([path, bytes]) => {
      const size = faults.announced?.get(path) ?? bytes.length
      const lfs = isLarge(path) ? { lfs: { oid: sha256(bytes), size, pointerSize: 130 } } : {}
      return { type: 'file', path, size, oid: gitHash(bytes), ...lfs }
    })
  }

  const close = async () => {
    for (const server of [hub, storage]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  return { endpoint, commit, requests, faults, [Symbol.asyncDispose]: close }
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function seen(host: 'hub' | 'storage', { url, headers }: IncomingMessage): HubRequest {
  const { authorization, range, 'accept-encoding': encoding } = headers
  return { host, url: url!, authorization, range, encoding: encoding as string | undefined }
}

function sendJson(response: ServerResponse, content: unknown, headers = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(content))
}

function sendFile(
  path: string,
  bytes: Buffer,
  { cutAfter, stallAfter, ignoresRange }: HubFaults,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const from = ignoresRange ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const part = bytes.subarray(from)
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': part.length,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  })
  const [cut, stall] = [cutAfter?.get(path), stallAfter?.get(path)]
  if (stall !== undefined) response.write(part.subarray(0, stall))
  else if (cut === undefined) response.end(part)
  else response.write(part.subarray(0, cut), () => response.socket?.end())
}
