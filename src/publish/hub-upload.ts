/**
 * Files into a repository of a model hub, by the HTTP interface of the Hugging Face hub: the repository is made, the hub says
 * which files it keeps as large ones, those are stored by their SHA-256 (git LFS, in one piece or in parts), and one commit
 * names all of them. A large file that the hub has already is not sent again, so an upload that broke off is gone on with.
 */
import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigError, UploadError } from '../errors.ts'
import { limitedBody } from '../limited-body.ts'
import { travelsUnread } from '../loopback.ts'
import { reasonOf } from '../networks/checkpoint/hub.ts'

/** A file to be sent. */
export interface HubUpload {
  /** In the repository. */
  readonly path: string
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

interface Target {
  /** `https://huggingface.co` */
  readonly endpoint: string
  /** `owner/name` */
  readonly repository: string
  readonly token: string
}

const branch = 'main'
const json = 'application/json'
const lfsJson = 'application/vnd.git-lfs+json'
/** A hub answers with some lines of JSON a file. */
const mostAnswerBytes = 16 * 2 ** 20
/** From which the hub tells text from other content. */
const sampleBytes = 512

/**
 * @throws {ConfigError} the token would go over the network for all to read
 */
export function expectSafe(endpoint: string): void {
  if (travelsUnread(new URL(endpoint))) return
  throw new ConfigError({
    where: '--endpoint',
    expected: 'an address with https://, by which a token can travel unread',
    received: endpoint,
    remedy: 'give the address of the hub with https://',
  })
}

export class HubRepository {
  readonly #target: Target

  constructor(target: Target) {
    expectSafe(target.endpoint)
    this.#target = target
  }

  /** Its page. */
  get page(): string {
    return `${this.#target.endpoint}/${this.#target.repository}`
  }

  get #api(): string {
    return `${this.#target.endpoint}/api/models/${this.#target.repository}`
  }

  /**
   * Makes the repository, where it is not there yet.
   *
   * @returns whether it was there
   * @throws {UploadError} refused; or it is there for everybody to see, and was to be private
   */
  async create(isPrivate: boolean): Promise<boolean> {
    const [organization, name] = this.#target.repository.split('/')
    const body = JSON.stringify({ type: 'model', name, organization, private: isPrivate })
    const response = await this.#send(`${this.#target.endpoint}/api/repos/create`, { method: 'POST', body }, json)
    if (response.ok) {
      await response.body?.cancel()
      return false
    }
    if (response.status !== 409) throw await this.#refusal(response, 'a new repository')
    await response.body?.cancel()
    if (isPrivate) await this.#expectPrivate()
    return true
  }

  async #expectPrivate(): Promise<void> {
    const told = await this.#ask(this.#api, { method: 'GET' }, Visibility, 'what the hub says of this repository')
    if (told.private) return
    throw new UploadError({
      where: this.#target.repository,
      expected: 'a private repository, or none yet',
      received: 'one that everybody can see',
      remedy: 'publish there with --no-private, make it private at the hub, or choose another name',
    })
  }

  /**
   * Sends files and commits them.
   *
   * @param sent receives the bytes of large files as they are sent, or were there already
   * @returns address of the commit; the page where the hub tells none
   * @throws {UploadError}
   */
  async commit(
    files: readonly HubUpload[],
    summary: string,
    sent: (bytes: number, path: string) => void,
  ): Promise<string> {
    const modes = await this.#modes(files)
    const large = files.filter(({ path }) => modes.get(path) === 'lfs')
    if (large.length > 0) await this.#sendLarge(large, sent)
    const lines = [
      { key: 'header', value: { summary, description: '' } },
      ...(await Promise.all(
        files.map(async ({ path, file, bytes, sha256 }) =>
          modes.get(path) === 'lfs'
            ? { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256, size: bytes } }
            : { key: 'file', value: { path, content: (await readFile(file)).toString('base64'), encoding: 'base64' } },
        ),
      )),
    ]
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    const init = { method: 'POST', body }
    const { commitUrl } = await this.#ask(
      `${this.#api}/commit/${branch}`,
      init,
      Committed,
      'a commit',
      'application/x-ndjson',
    )
    return commitUrl ?? this.page
  }

  /** By path: `lfs` for what the hub stores by its hash, `regular` for what stands in the commit itself. */
  async #modes(files: readonly HubUpload[]): Promise<ReadonlyMap<string, 'lfs' | 'regular'>> {
    const described = await Promise.all(
      files.map(async ({ path, file, bytes }) => {
        const sample = await (await openAsBlob(file)).slice(0, sampleBytes).arrayBuffer()
        return { path, size: bytes, sample: Buffer.from(sample).toString('base64') }
      }),
    )
    const init = { method: 'POST', body: JSON.stringify({ files: described }) }
    const { files: told } = await this.#ask(`${this.#api}/preupload/${branch}`, init, Preupload, 'how files are kept')
    return new Map(told.map(({ path, uploadMode }) => [path, uploadMode]))
  }

  async #sendLarge(files: readonly HubUpload[], sent: (bytes: number, path: string) => void): Promise<void> {
    const objects = files.map(({ sha256, bytes }) => ({ oid: sha256, size: bytes }))
    const body = JSON.stringify({
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      hash_algo: 'sha256',
      ref: { name: branch },
      objects,
    })
    const { objects: told } = await this.#ask(
      `${this.page}.git/info/lfs/objects/batch`,
      { method: 'POST', body },
      Batch,
      'where large files go',
      lfsJson,
    )
    for (const file of files) {
      const object = told.find(({ oid }) => oid === file.sha256)
      if (object === undefined) throw this.#strange(`nothing about ${file.path}`)
      if (object.error !== undefined) throw this.#refused(object.error.code, object.error.message, file.path)
      const { upload, verify } = object.actions ?? {}
      // Where it is asked for nothing, it has the file.
      if (upload !== undefined) await this.#sendFile(file, upload)
      if (verify !== undefined) await this.#verify(file, verify)
      sent(file.bytes, file.path)
    }
  }

  async #sendFile(file: HubUpload, { href, header = {} }: Action): Promise<void> {
    const content = await openAsBlob(file.file)
    const { chunk_size: chunk, ...rest } = header
    if (chunk === undefined) {
      const response = await this.#send(href, { method: 'PUT', body: content, headers: rest })
      if (!response.ok) throw await this.#refusal(response, `${file.path} in its storage`)
      await response.body?.cancel()
      return
    }
    const chunkBytes = Number(chunk)
    const addresses = Object.entries(rest)
      .filter(([key]) => /^\d+$/.test(key))
      .sort(([a], [b]) => Number(a) - Number(b))
    if (!(chunkBytes > 0) || addresses.length !== Math.ceil(file.bytes / chunkBytes)) {
      throw this.#strange(`${addresses.length} parts of ${chunk} bytes for a file of ${file.bytes}`)
    }
    const parts: { partNumber: number; etag: string }[] = []
    for (const [place, [key, address]] of addresses.entries()) {
      const body = content.slice(place * chunkBytes, (place + 1) * chunkBytes)
      const response = await this.#send(address, { method: 'PUT', body })
      if (!response.ok) throw await this.#refusal(response, `part ${key} of ${file.path} in its storage`)
      await response.body?.cancel()
      const etag = response.headers.get('etag')
      if (etag === null) throw this.#strange(`no mark of part ${key}`)
      parts.push({ partNumber: Number(key), etag })
    }
    const whole = await this.#send(href, { method: 'POST', body: JSON.stringify({ oid: file.sha256, parts }) }, lfsJson)
    if (!whole.ok) throw await this.#refusal(whole, `the parts of ${file.path} put together`)
    await whole.body?.cancel()
  }

  async #verify({ path, sha256, bytes }: HubUpload, { href, header }: Action): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify({ oid: sha256, size: bytes }), headers: header }
    const response = await this.#send(href, init, lfsJson)
    if (!response.ok) throw await this.#refusal(response, `${path} as it was sent`)
    await response.body?.cancel()
  }

  async #ask<S extends z.ZodType>(
    url: string,
    init: RequestInit,
    schema: S,
    expected: string,
    type = json,
  ): Promise<z.output<S>> {
    const response = await this.#send(url, init, type)
    if (!response.ok) throw await this.#refusal(response, expected)
    const parsed = schema.safeParse(await response.json().catch(() => undefined))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw this.#strange(`${issue.path.join('.')} ${issue.message}`.trim())
  }

  /** The token goes to the hub alone: storages have signed addresses. */
  async #send(url: string, init: RequestInit, type?: string): Promise<Response> {
    const { endpoint, token } = this.#target
    const place = URL.parse(url, endpoint)
    if (place === null || !travelsUnread(place)) throw this.#strange(`${url} as an address to send to`)
    const headers = this.#headersOf(init)
    if (place.origin === new URL(endpoint).origin) headers.set('authorization', `Bearer ${token}`)
    if (type !== undefined && init.body !== undefined) headers.set('content-type', type)
    if (type !== undefined) headers.set('accept', type === lfsJson ? lfsJson : json)
    try {
      return limitedBody(await fetch(place, { ...init, headers, redirect: 'manual' }), mostAnswerBytes)
    } catch (cause) {
      throw new UploadError({
        where: place.origin,
        expected: 'an answer',
        received: this.#clean(reasonOf(cause)),
        remedy: `check the network and --endpoint; behind a proxy set HTTPS_PROXY and NODE_USE_ENV_PROXY=1; then ${again}`,
        cause,
      })
    }
  }

  /** A hub says with which headers its storage is to be called. */
  #headersOf({ headers }: RequestInit): Headers {
    try {
      return new Headers(headers)
    } catch (cause) {
      throw this.#strange((cause as Error).message)
    }
  }

  async #refusal(response: Response, expected: string): Promise<UploadError> {
    const { status, statusText, headers } = response
    const body = await response.text().catch(() => '')
    const [told] = [headers.get('x-error-message'), messageIn(body), statusText].filter((text) => text)
    const wait = headers.get('retry-after')
    return this.#refused(status, `${told ?? ''}${wait === null ? '' : `, retry after ${wait}`}`, expected)
  }

  #refused(status: number, told: string, expected: string): UploadError {
    const { endpoint, repository } = this.#target
    return new UploadError({
      where: repository,
      expected,
      received: this.#clean(`${status} ${told}`.trim()),
      remedy: remedies(status, endpoint, repository),
    })
  }

  #strange(received: string): UploadError {
    const remedy = 'check --endpoint, and that no proxy answers in its place'
    return new UploadError({
      where: this.#target.endpoint,
      expected: 'the answer of a Hugging Face hub',
      received: this.#clean(received),
      remedy,
    })
  }

  /** Whoever answers may have put the request into the answer. */
  #clean = (text: string) => text.replaceAll(this.#target.token, '…').slice(0, 400)
}

const again = 'run it again: what has arrived is not sent again'

function remedies(status: number, endpoint: string, repository: string): string {
  const [owner] = repository.split('/')
  switch (status) {
    case 401:
      return `set HF_TOKEN to a token that may write, made at ${endpoint}/settings/tokens`
    case 403:
      return `check that ${owner} is your account or an organisation in which you may write, and that the token in HF_TOKEN has write permission`
    case 404:
      return `check ${repository} and --endpoint`
    case 409:
      return `somebody else changed ${repository} meanwhile: ${again}`
    case 413:
      return 'the hub takes no file or commit of this size: publish adapters of a lower --rank, or ask the hub for more'
    case 429:
      return `the hub has had too many requests: wait as long as it says, then ${again}`
    default:
      return status >= 300 && status < 400 ? `it has moved: give its present name and --endpoint` : again
  }
}

/** What a refusal says in words. */
function messageIn(body: string): string | undefined {
  try {
    const { error, message } = Object(JSON.parse(body)) as { error?: unknown; message?: unknown }
    return [error, message].find((text) => typeof text === 'string')
  } catch {
    return undefined
  }
}

const Action = z.object({ href: z.string().min(1), header: z.record(z.string(), z.string()).optional() })
type Action = z.infer<typeof Action>
const Batch = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      error: z.object({ code: z.number(), message: z.string() }).optional(),
      actions: z.object({ upload: Action.optional(), verify: Action.optional() }).optional(),
    }),
  ),
})
const Preupload = z.object({ files: z.array(z.object({ path: z.string(), uploadMode: z.enum(['lfs', 'regular']) })) })
const Committed = z.object({
  commitUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .catch(undefined),
})
const Visibility = z.object({ private: z.boolean() })
