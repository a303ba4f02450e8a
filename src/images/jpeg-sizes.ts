/**
 * Sizes of pictures as JPEG, at once: sharp only promises them, and what asks is in the midst of computing. A thread encodes,
 * and this one waits.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { ProcessError } from '../errors.ts'
import { scriptBeside } from '../script-beside.ts'
import type { JpegAnswer, JpegQuestion } from './jpeg-thread.ts'
import type { Picture } from './png.ts'

/** Far more than any batch takes: a thread that never answers has not come up. */
const mostMs = 120_000

let worker: Worker | undefined

/**
 * Bytes of each as a JPEG of quality 95 with its colours at half the resolution and the usual Huffman tables, as Pillow writes it.
 *
 * @throws {ProcessError} the thread does not answer
 */
export function jpegSizes(pictures: readonly Picture[]): number[] {
  worker ??= new Worker(scriptBeside(import.meta.url, './jpeg-thread'))
  worker.unref()
  const { port1, port2 } = new MessageChannel()
  const done = new Int32Array(new SharedArrayBuffer(4))
  const question: JpegQuestion = { pictures, answerTo: port2, done }
  worker.postMessage(question, [port2])
  Atomics.wait(done, 0, 0, mostMs)
  const answer = receiveMessageOnPort(port1)?.message as JpegAnswer | undefined
  port1.close()
  if (answer !== undefined && 'sizes' in answer) return [...answer.sizes]
  throw new ProcessError({
    where: 'JPEG',
    expected: 'sizes of pictures',
    received: answer?.complaint ?? 'no answer',
    remedy: 'please report it',
  })
}
