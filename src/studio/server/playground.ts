/** The playground over HTTP: what can be drawn with, drawing with its progress, and keeping. */
import type { z } from 'zod'
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import { promptsFrom } from '../jobs/orders.ts'
import type { DrawOrder, DrawProgress } from '../playground/lines.ts'
import { keepImages } from '../playground/keep-images.ts'
import { playgroundRound } from '../playground/playground-round.ts'
import { knownPolicies } from '../playground/policies.ts'
import {
  DrawEvent,
  DrawRequest,
  type Drawn,
  KeepImages,
  KeptImages,
  PlaygroundDone,
  PlaygroundState,
} from '../schemas/playground.ts'
import type { Studio } from '../studio.ts'
import { worldOf } from '../worlds.ts'
import { notFound, refusalOf, refuse } from './failures.ts'
import { jsonRoute } from './route.ts'

export const playgroundRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/playground',
    summary: 'What can be drawn with in the playground, and whether its model is loaded.',
    who: 'admin',
    answer: PlaygroundState,
    handle: ({ studio }) => {
      const world = worldOf(studio.model)
      return {
        policies: knownPolicies(studio).map(({ source: _, ...listed }) => listed),
        words: world === undefined ? null : wordsOf(world.vocabulary),
        example: world?.seen().at(0)?.text ?? null,
        hasNegative: world === undefined,
        ...studio.playground.state(),
      }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/playground',
    summary:
      'Draw a prompt by several policies from the same noise. A line of JSON for each thing that happens, as it happens.',
    who: 'admin',
    body: DrawRequest,
    bodyLimit: 60_000,
    answer: DrawEvent,
    handle: ({ studio, body }) => {
      const order = orderOf(studio, body)
      studio.playground.expectRoom()
      return eventsOf(studio, order)
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/playground/keep',
    summary: 'Keep images that were drawn lately, to be judged.',
    who: 'admin',
    body: KeepImages,
    answer: KeptImages,
    handle: async ({ studio, body: { images } }) => {
      const pictures = [...new Set(images)].map((id) => {
        const picture = studio.playground.drawn.get(id)
        if (picture !== undefined) return picture
        throw refuse(404, 'not-found', {
          where: `image ${id}`,
          expected: 'one that was drawn lately',
          received: 'one that is not remembered any more',
          remedy: 'draw it again: the same seed gives the same image',
        })
      })
      return { added: await keepImages(studio, pictures), round: playgroundRound }
    },
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/playground',
    summary: 'End the process that draws, which gives back the memory of the model.',
    who: 'admin',
    answer: PlaygroundDone,
    handle: async ({ studio: { playground } }) => {
      await playground.stop()
      return { process: playground.state().process }
    },
  }),
]

/** @throws {StudioError} a policy that is not listed @throws {VocabularyError} a prompt that the model cannot read */
function orderOf(studio: Studio, given: z.output<typeof DrawRequest>): DrawOrder {
  const world = worldOf(studio.model)
  const [prompt] = promptsFrom([given.prompt], world)
  world?.expectReadable(prompt.text)
  if (given.negative !== undefined) world?.expectReadable(given.negative)
  const sources = new Map(knownPolicies(studio).map(({ policy, source }) => [policy, source]))
  const policies = given.policies.map(({ policy, strength }) => {
    const source = sources.get(policy)
    if (source === undefined) throw notFound('policy')
    return { source, strength }
  })
  const negative = given.negative === undefined ? {} : { negative: given.negative }
  const { seed, images, steps, guidance } = given
  return { prompt: { ...prompt, ...negative }, policies, seed, images, steps, guidance }
}

/** The drawing ends when nobody takes its events any more. */
function eventsOf(studio: Studio, order: DrawOrder): Response {
  const leaving = new AbortController()
  const text = new TextEncoder()
  const { playground } = studio
  const all = order.policies.length * order.images
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const tell = (event: DrawEvent) => {
        if (!leaving.signal.aborted) controller.enqueue(text.encode(`${JSON.stringify(event)}\n`))
      }
      const draw = async () => {
        const began = performance.now()
        const keptNow = await keptImages(studio)
        const sampling = await playground.draw(
          order,
          {
            onWaiting: (ahead) => tell({ kind: 'waiting', ahead }),
            onLoading: () => tell({ kind: 'loading' }),
            onProgress: (progress) => tell({ kind: 'progress', share: shareOf(progress, order.images, all) }),
            onImage: (drawn) => {
              const { id, index } = playground.drawn.add(drawn).record
              const { policy, width, height } = drawn
              const image = { id, width, height }
              tell({ kind: 'image', drawn: { image, policy, index, kept: keptNow(id) } })
            },
          },
          leaving.signal,
        )
        if (sampling !== undefined) {
          tell({ kind: 'done', durationMs: Math.round(performance.now() - began), sampling })
        }
      }
      void draw()
        .catch((error: unknown) => tell({ kind: 'failed', ...refusalOf(error, studio.workspace).body }))
        .finally(() => {
          if (!leaving.signal.aborted) controller.close()
        })
    },
    cancel: () => leaving.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson', 'x-accel-buffering': 'no' } })
}

/** Tells of an image whether the studio has it, and whether from here. */
async function keptImages({ store, rounds }: Studio): Promise<(id: string) => Drawn['kept']> {
  const [images, all] = await Promise.all([store.images(), rounds.all()])
  const archived = new Map(images.map(({ record, archived: isArchived = false }) => [record.id, isArchived]))
  const elsewhere = new Set(all.filter(({ name }) => name !== playgroundRound).flatMap((round) => round.images))
  const here = new Set(all.find(({ name }) => name === playgroundRound)?.images)
  return (id) => {
    if (!archived.has(id)) return 'no'
    if (elsewhere.has(id) || !here.has(id)) return 'there'
    return archived.get(id) === true ? 'no' : 'kept'
  }
}

const shareOf = ({ policy, images }: DrawProgress, each: number, all: number) =>
  Math.min(1, (policy * each + images) / all)

const wordsOf = ({ counts, colors, objects, backgrounds }: PromptVocabulary): PlaygroundState['words'] => [
  { of: 'counts', words: [...counts] },
  { of: 'colors', words: [...colors] },
  { of: 'objects', words: objects.map(({ plural }) => plural) },
  { of: 'backgrounds', words: backgrounds.map((one) => `on a ${one} background`) },
]
