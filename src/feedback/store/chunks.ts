/** Rows a statement: databases limit the number of bound values. */
const chunkSize = 500

/** Lists of at most 500, in order. */
export function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / chunkSize) }, (_, place) =>
    all.slice(place * chunkSize, (place + 1) * chunkSize),
  )
}
