/** A small studio for tests: pictures, runs as the stages write them, and a way to ask it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { StudioError } from '../errors.ts'
import { awkwardTexts } from '../feedback/feedback-fixtures.test-helper.ts'
import type { ImageRecord } from '../records.ts'
import { startRun } from '../run.ts'
import { isAlive } from '../run-lock.ts'
import { createClient, type StudioClient } from './client.ts'
import { openStudio, type OpenedStudio, type StudioOptions } from './open-studio.ts'
import { Failure } from './schemas/basics.ts'
import { studioApp } from './server/app.ts'

export interface TestStudio extends AsyncDisposable {
  readonly studio: OpenedStudio
  readonly app: ReturnType<typeof studioApp>
  readonly client: StudioClient
  as(rater: string): StudioClient
}

/** An empty studio in a folder that goes when it is disposed. */
export async function testStudio(options: StudioOptions = {}): Promise<TestStudio> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-studio-'))
  const studio = await openStudio(join(folder, 'work'), {
    jobs: { everyMs: 50 },
    pages: join(folder, 'web'),
    ...options,
  })
  const app = studioApp(studio)
  const fetch = (url: string | URL | Request, init?: RequestInit) => Promise.resolve(app.request(url as string, init))
  const as = (rater: string) => createClient('http://localhost', { rater: () => rater, fetch })
  return {
    studio,
    app,
    client: createClient('http://localhost', { fetch }),
    as,
    async [Symbol.asyncDispose]() {
      endJobs(studio)
      await studio[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Their processes would outlive a test that failed before they were done. */
function endJobs({ queue }: OpenedStudio): void {
  for (const { owner } of queue.open()) if (owner !== null && isAlive(owner)) process.kill(-owner.pid, 'SIGKILL')
}

/** Puts a finished run of images there, `perPrompt` of each text, as `images generate` and the studio would. */
export async function addImageRun(
  { workspace, store, rounds }: OpenedStudio,
  name: string,
  texts: readonly string[],
  options: { perPrompt?: number; policy?: string; seed?: number; purpose?: 'round' | 'comparison'; side?: number } = {},
): Promise<ImageRecord[]> {
  const { perPrompt = 2, policy = 'pretrained', seed = 1, purpose = 'round', side = 24 } = options
  const folder = workspace.at('runs', name)
  const parents: Record<string, string> = policy === 'pretrained' ? {} : { policy: `runs/${policy}` }
  using run = startRun({ folder, stage: 'images generate', config: { ...parents }, parents })
  mkdirSync(run.path('images'), { recursive: true })
  const records: ImageRecord[] = []
  for (const [p, text] of texts.entries()) {
    for (let k = 0; k < perPrompt; k++) {
      const index = p * perPrompt + k
      const sha256 = createHash('sha256').update(`${name}\0${text}\0${index}`).digest('hex')
      const background = { r: parseInt(sha256.slice(0, 2), 16), g: 90, b: index % 256 }
      const png = await sharp({ create: { width: side, height: side, channels: 3, background } })
        .png()
        .toBuffer()
      const file = `images/${String(index).padStart(6, '0')}.png`
      writeFileSync(run.path(file), png)
      records.push({
        id: sha256.slice(0, 16),
        prompt: `p${p}`,
        text,
        category: 'other',
        file,
        sha256,
        seed,
        index,
        policy,
        sampler: 'ddim',
        steps: 10,
        eta: 1,
        guidance: 2,
      })
    }
  }
  writeFileSync(run.path('images.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  run.finish({ images: records.length })
  await store.addImages(records, folder)
  const images = records.map(({ id }) => id)
  await rounds.add({ name, policy, purpose, createdAt: new Date().toISOString(), images })
  return records
}

/** Puts a finished run of a stage there that wrote these files. */
export function addRun(
  { workspace }: OpenedStudio,
  name: string,
  stage: string,
  parents: Readonly<Record<string, string>>,
  results: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): void {
  using run = startRun({ folder: workspace.at('runs', name), stage, config: { ...parents }, parents })
  for (const [file, content] of Object.entries(files)) writeFileSync(run.path(file), content)
  run.finish(results)
}

/** A request with the header that changes need. */
export const changing = (method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  headers: { 'x-attune': '1', 'content-type': 'application/json', ...headers },
  ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
})

export const goodBad = (id: string, image: string, answer: 'good' | 'bad' | 'skip' = 'good') => ({
  id,
  kind: 'good-bad-skip' as const,
  images: [image],
  answer,
  at: '2026-01-01T00:00:00.000Z',
})

/** For `assert.rejects`: what the studio refuses a client with. */
export const refused = (status: number, code: string) => (error: unknown) => {
  assert.ok(error instanceof StudioError, String(error))
  assert.deepEqual([error.status, error.code], [status, code], error.message)
  return true
}

/** The refusal that an answer is. */
export async function failureOf(answer: Response): Promise<Failure['error']> {
  assert.ok(answer.status >= 400, `status ${answer.status}`)
  return Failure.parse(await answer.json()).error
}

/** Texts that are never to be more than texts. */
export const hostileTexts = [
  ...awkwardTexts,
  'x'.repeat(10_000),
  '../../etc/passwd',
  '%00',
  '\u202Eright to left',
  'a\r\nset-cookie: x=1',
]
