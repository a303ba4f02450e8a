/** The thread behind `askServer`: it sends a question, again where that may help, and reads a bounded answer. */
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, type MessagePort } from 'node:worker_threads'
import sharp from 'sharp'
import type { Picture } from '../../images/png.ts'
import { limitedBody, TooLarge } from '../../limited-body.ts'
import { longestWaitMs } from './protocol.ts'

export interface HttpQuestion {
  readonly url: string
  /** What is to be scored; a question without it is a GET. */
  readonly scored?: { readonly pictures: readonly Picture[]; readonly texts: readonly string[] }
  readonly token: string | undefined
  /** Of a request with its answer. */
  readonly timeoutMs: number
  /** Further attempts where there was no answer, or that the server is busy or broken; before each the double of the first wait. */
  readonly retries: number
  readonly firstWaitMs: number
  readonly mostRequestBytes: number
  readonly mostAnswerBytes: number
  readonly answerTo: MessagePort
  /** One number, of memory that both threads have: it becomes 1 when there is an answer. */
  readonly done: Int32Array
}
export type HttpAnswer = { readonly status: number; readonly text: string } | { readonly failure: string }

async function answerOf(question: HttpQuestion): Promise<HttpAnswer> {
  const body = await bodyOf(question)
  if (body !== undefined && body.length > question.mostRequestBytes) {
    return { failure: `a request of ${body.length} bytes, more than ${question.mostRequestBytes}` }
  }
  for (let attempt = 0; ; attempt++) {
    const tried = await tryOnce(question, body)
    const isLast = attempt >= question.retries
    if (!tried.isTransient || isLast) {
      const told = attempt === 0 ? '' : `, ${attempt + 1} times`
      return 'failure' in tried ? { failure: tried.failure + told } : tried
    }
    const usual = question.firstWaitMs * 2 ** attempt
    await wait(Math.min(longestWaitMs, Math.max(usual, tried.waitMs ?? 0)))
  }
}

type Tried = HttpAnswer & { readonly isTransient: boolean; readonly waitMs?: number }

async function tryOnce({ url, token, timeoutMs, mostAnswerBytes }: HttpQuestion, body?: string): Promise<Tried> {
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const { status, headers } = response
    const text = await limitedBody(response, mostAnswerBytes).text()
    const seconds = Number(headers.get('retry-after') ?? NaN)
    return {
      status,
      text,
      isTransient: status === 429 || status >= 500,
      ...(seconds > 0 && { waitMs: 1000 * seconds }),
    }
  } catch (error) {
    if (error instanceof TooLarge) return { failure: error.message, isTransient: false }
    if ((error as Error).name === 'TimeoutError') {
      return { failure: `no answer in ${timeoutMs / 1000} s`, isTransient: true }
    }
    const { cause, message } = error as Error & {
      readonly cause?: { readonly code?: string; readonly message?: string }
    }
    return { failure: cause?.code ?? cause?.message ?? message, isTransient: true }
  }
}

async function bodyOf({ scored }: HttpQuestion): Promise<string | undefined> {
  if (scored === undefined) return undefined
  const files = scored.pictures.map(({ bytes, width, height }) =>
    sharp(bytes, { raw: { width, height, channels: 3 } })
      .png({ compressionLevel: 3 })
      .toBuffer(),
  )
  const images = (await Promise.all(files)).map((file) => file.toString('base64'))
  return JSON.stringify({ images, prompts: scored.texts })
}

parentPort!.on('message', (question: HttpQuestion) => {
  void answerOf(question)
    .catch((error: unknown): HttpAnswer => ({ failure: String(error) }))
    .then((answer) => {
      question.answerTo.postMessage(answer)
      Atomics.store(question.done, 0, 1)
      Atomics.notify(question.done, 0)
    })
})
