/** Images by their ids. An id is made from the content, so what it names never changes. */
import { z } from 'zod'
import { ImageId } from '../schemas/basics.ts'
import { usualPng } from '../usual-examples.ts'
import { fileRoute } from './route.ts'

const imageSizes = ['64', '128', '256', '512', '1024'] as const
const foreverSeconds = 31_536_000

export const imageRoutes = [
  fileRoute({
    method: 'get',
    path: '/images/:id',
    // What the playground drew lately is in the memory of the process that leads.
    ledFor: 'admins',
    summary: 'An image, in at most `size` pixels a side; for admins also one that the playground drew lately.',
    who: 'rater',
    params: z.object({ id: ImageId }),
    query: z.object({ size: z.enum(imageSizes).optional() }),
    answer: 'image/png',
    handle: async ({ studio, user, params: { id }, query: { size } }) => {
      const drawn = user.role === 'admin' ? studio.playground.drawn.get(id)?.png : undefined
      const bytes =
        drawn ?? (await usualPng(id)) ?? (await studio.images.bytes(id, size === undefined ? undefined : Number(size)))
      return pngAnswer(bytes, `private, max-age=${foreverSeconds}, immutable`)
    },
  }),
]

export const pngAnswer = (bytes: Uint8Array, caching: string): Response =>
  new Response(new Uint8Array(bytes), { headers: { 'content-type': 'image/png', 'cache-control': caching } })
