/** Answers of strangers, of which no more is read than is wanted. */

export class TooLarge extends Error {
  constructor(most: number) {
    super(`an answer of more than ${most} bytes`)
  }
}

/**
 * An answer whose body ends with {@link TooLarge} once it is longer than `most` bytes: `json()`, `text()` and whoever else
 * reads it are refused then, and nothing more is fetched.
 */
export function limitedBody({ body, status, statusText, headers }: Response, most: number): Response {
  let bytes = 0
  const counted = body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        bytes += piece.length
        if (bytes > most) throw new TooLarge(most)
        controller.enqueue(piece)
      },
    }),
  )
  return new Response(counted ?? null, { status, statusText, headers })
}
