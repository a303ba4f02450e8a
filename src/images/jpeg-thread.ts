/** The thread behind `jpegSizes`. */
import { parentPort, type MessagePort } from 'node:worker_threads'
import sharp from 'sharp'
import type { Picture } from './png.ts'

export interface JpegQuestion {
  readonly pictures: readonly Picture[]
  readonly answerTo: MessagePort
  /** One number, of memory that both threads have: it becomes 1 when there is an answer. */
  readonly done: Int32Array
}
export type JpegAnswer = { readonly sizes: readonly number[] } | { readonly complaint: string }

/** Bytes of the JFIF header, which sharp leaves out and Pillow writes. */
const header = 18
const options = { quality: 95, chromaSubsampling: '4:2:0', optimiseCoding: false }

async function answerOf({ pictures }: JpegQuestion): Promise<JpegAnswer> {
  try {
    const files = pictures.map(({ bytes, width, height }) =>
      sharp(bytes, { raw: { width, height, channels: 3 } })
        .jpeg(options)
        .toBuffer(),
    )
    return { sizes: (await Promise.all(files)).map(({ length }) => length + header) }
  } catch (error) {
    return { complaint: String(error) }
  }
}

parentPort!.on('message', (question: JpegQuestion) => {
  void answerOf(question).then((answer) => {
    question.answerTo.postMessage(answer)
    Atomics.store(question.done, 0, 1)
    Atomics.notify(question.done, 0)
  })
})
