/** The Hugging Face hub: what a model's revision holds, and requests to it. Only `model fetch` comes here. */
import { listFiles, modelInfo } from '@huggingface/hub'
import { z } from 'zod'
import { AttuneError, ConfigError, DownloadError } from '../../errors.ts'
import { limitedBody } from '../../limited-body.ts'
import { travelsUnread } from '../../loopback.ts'

export interface Hub {
  /** Address of a model's page, without a slash at the end. */
  readonly page: string
  /** As the global `fetch` for GET, but it throws on any answer that is not a success. */
  readonly fetch: typeof fetch
}

/** A file of a model. */
export interface HubFile {
  readonly path: string
  readonly bytes: number
  /** SHA-256 of a large file, else git's hash of its content; the cache names the file by it. */
  readonly hash: string
}

export interface HubListing {
  /** What the revision stands for now: 40 hex digits. */
  readonly commit: string
  readonly files: readonly HubFile[]
}

const mostRedirects = 10
/** Of a page of a listing, of which the hub makes one for every thousand files. */
const mostListingBytes = 16 * 2 ** 20
const mostFiles = 100_000

/**
 * The hub of HF_ENDPOINT, or huggingface.co, with HF_TOKEN for what it does not give to everybody. The token goes to the
 * hub alone: not along with a redirect to the storage that most files lie in.
 *
 * @throws {ConfigError} HF_HUB_OFFLINE forbids it, HF_ENDPOINT is no address, or one where all could read the token
 */
export function openHub(name: string): Hub {
  const { HF_TOKEN } = process.env
  const endpoint = hubEndpoint('to download', 'unset it, or copy the model into the cache by hand')
  const { origin } = new URL(endpoint)
  if (HF_TOKEN && !travelsUnread(new URL(endpoint))) {
    const expected = 'an address with https://, by which HF_TOKEN can travel unread'
    throw new ConfigError({ where: 'HF_ENDPOINT', expected, received: endpoint, remedy: 'give it with https://, or unset HF_TOKEN' }) // prettier-ignore
  }
  const page = `${endpoint}/${name}`

  const call: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    let url = new URL(request.url)
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const headers = new Headers(request.headers)
      const isHub = url.origin === origin
      if (isHub && HF_TOKEN) headers.set('authorization', `Bearer ${HF_TOKEN}`)
      const response = await answer(url, headers)
      if (response.ok) return response
      await response.body?.cancel()
      const target = URL.parse(response.headers.get('location') ?? '', url.href)
      if (response.status < 300 || response.status >= 400 || !response.headers.has('location') || target === null) {
        throw isHub ? refusal(name, page, response) : storageError(url, response)
      }
      url = target
    }
    const received = `more than ${mostRedirects} redirects`
    throw new DownloadError({ where: name, expected: 'a file', received, remedy: 'check HF_ENDPOINT' })
  }
  return { page, fetch: call }
}

/**
 * The address of a hub, without a slash at its end: the given one, or that of HF_ENDPOINT, or huggingface.co.
 *
 * @param purpose what the hub is wanted for, and what to do where HF_HUB_OFFLINE forbids it
 * @throws {ConfigError} it is forbidden, or no address
 */
export function hubEndpoint(purpose: string, remedy: string, given: string | null = null): string {
  const { HF_ENDPOINT, HF_HUB_OFFLINE } = process.env
  if (/^(1|on|yes|true)$/i.test(HF_HUB_OFFLINE ?? '')) {
    const expected = `nothing, or 0, ${purpose}`
    throw new ConfigError({ where: 'HF_HUB_OFFLINE', expected, received: HF_HUB_OFFLINE!, remedy })
  }
  const endpoint = (given ?? (HF_ENDPOINT || 'https://huggingface.co')).replace(/\/+$/, '')
  const url = URL.parse(endpoint)
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search === '') return endpoint
  throw new ConfigError({
    where: given === null ? 'HF_ENDPOINT' : '--endpoint',
    expected: 'an address such as https://huggingface.co',
    received: url === null || url.username + url.password === '' ? endpoint : `one with a name or a password`,
    remedy: given === null ? 'mend or unset it' : 'mend it, or leave it out',
  })
}

async function answer(url: URL, headers: Headers): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'manual' })
  } catch (cause) {
    throw new DownloadError({
      where: url.origin,
      expected: 'an answer',
      received: reasonOf(cause),
      remedy:
        'check the network; behind a proxy set HTTPS_PROXY and NODE_USE_ENV_PROXY=1; for a mirror of the hub HF_ENDPOINT',
      cause,
    })
  }
}

/** What is behind fetch's own "fetch failed" and "terminated". */
export function reasonOf(error: unknown): string {
  const { message, code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return message || String(code)
}

function refusal(where: string, page: string, { status, statusText, headers }: Response): DownloadError {
  const code = headers.get('x-error-code')
  const received = `${status} ${headers.get('x-error-message') ?? statusText}`.trim()
  if (code === 'GatedRepo') {
    const remedy = process.env.HF_TOKEN
      ? `accept the licence at ${page} with the account of HF_TOKEN`
      : `accept the licence at ${page}, then set HF_TOKEN to a token of your account`
    return new DownloadError({ where, expected: 'access to this gated model', received, remedy })
  }
  if (status === 401 || status === 403) {
    const expected = 'a public model, or a token in HF_TOKEN that may read it'
    const remedy = `check the name; for a gated model accept the licence at ${page} and set HF_TOKEN`
    return new DownloadError({ where, expected, received, remedy })
  }
  if (status === 404) {
    const isRevision = code === 'RevisionNotFound'
    return new DownloadError({
      where,
      expected: isRevision ? 'a branch, tag or commit of this model' : 'a model of this name',
      received,
      remedy: isRevision ? `see the branches at ${page}/tree/main` : `check the name: ${page}`,
    })
  }
  return new DownloadError({ where, expected: 'an answer of the hub', received, remedy: again })
}

export const again = 'run it again later: it goes on where it stopped'

function storageError({ origin }: URL, { status, statusText }: Response): DownloadError {
  const received = `${status} ${statusText}`.trim()
  return new DownloadError({ where: origin, expected: 'a file', received, remedy: again })
}

const Info = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) })
const Entry = z
  .object({
    path: z.string(),
    size: z.int().nonnegative(),
    oid: z.string().regex(/^[0-9a-f]{40}$/),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).optional(),
  })
  .transform(({ path, size, oid, lfs }) => ({ path, bytes: lfs?.size ?? size, hash: lfs?.oid ?? oid }))

/**
 * The files of a revision.
 *
 * @throws {DownloadError} no such model or revision, no permission, no network, or not the answer of a hub
 */
export async function listModel(hub: Hub, name: string, revision: string): Promise<HubListing> {
  const hubUrl = hub.page.slice(0, -name.length - 1)
  const access = {
    hubUrl,
    fetch: (async (...given) => limitedBody(await hub.fetch(...given), mostListingBytes)) satisfies typeof fetch,
  }
  try {
    const info = await modelInfo({ ...access, name, revision, additionalFields: ['sha'] })
    const { sha: commit } = Info.parse(info)
    const files: HubFile[] = []
    for await (const entry of listFiles({ ...access, repo: name, revision: commit, recursive: true })) {
      if (entry.type === 'file') files.push(Entry.parse(entry))
      if (files.length > mostFiles) throw new TypeError(`more than ${mostFiles} files`)
    }
    return { commit, files }
  } catch (cause) {
    if (cause instanceof AttuneError) throw cause
    throw new DownloadError({
      where: hubUrl,
      expected: 'the answer of a Hugging Face hub',
      received: cause instanceof z.ZodError ? cause.issues[0].message : (cause as Error).message,
      remedy: 'check HF_ENDPOINT, and that no proxy answers in its place',
      cause,
    })
  }
}
