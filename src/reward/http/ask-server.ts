/**
 * Questions to a reward server, at once: what asks is in the midst of computing, whose tensors belong to a scope that ends with it.
 * A thread sends, and this one waits.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Picture } from '../../images/png.ts'
import { scriptBeside } from '../../script-beside.ts'
import type { HttpAnswer, HttpQuestion } from './http-thread.ts'
import { longestWaitMs, mostRequestBytes, tokenVariable } from './protocol.ts'

/** How patient a client is. */
export interface Patience {
  readonly timeoutMs: number
  readonly retries: number
  readonly firstWaitMs: number
}
/** About ten minutes in all: a server may be started again in that time. */
export const usualPatience: Patience = { timeoutMs: 120_000, retries: 4, firstWaitMs: 1000 }

/** For the thread to come up, and to make PNG. */
const startMs = 60_000

const [leastAnswerBytes, answerBytesOfImage] = [100_000, 2000]

let worker: Worker | undefined

/** @param scored what is to be scored; without it, the question is a GET */
export function askServer(
  url: string,
  { timeoutMs, retries, firstWaitMs }: Patience,
  scored?: { readonly pictures: readonly Picture[]; readonly texts: readonly string[] },
): HttpAnswer {
  worker ??= new Worker(scriptBeside(import.meta.url, './http-thread'))
  worker.unref()
  const { port1, port2 } = new MessageChannel()
  const done = new Int32Array(new SharedArrayBuffer(4))
  const question: HttpQuestion = {
    ...{ url, timeoutMs, retries, firstWaitMs, mostRequestBytes },
    ...(scored && { scored }),
    token: process.env[tokenVariable] || undefined,
    mostAnswerBytes: leastAnswerBytes + answerBytesOfImage * (scored?.texts.length ?? 0),
    answerTo: port2,
    done,
  }
  worker.postMessage(question, [port2])
  Atomics.wait(done, 0, 0, (retries + 1) * (timeoutMs + longestWaitMs) + startMs)
  const answer = receiveMessageOnPort(port1)?.message as HttpAnswer | undefined
  port1.close()
  return answer ?? { failure: 'no answer of the thread that asks' }
}
