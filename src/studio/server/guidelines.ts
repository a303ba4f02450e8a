/** What raters are told, with images that show what is meant. */
import { addGuidelines, latestGuidelines } from '../../feedback/guidelines.ts'
import { askable } from '../../feedback/queue/rounds.ts'
import { Guidelines, ShownGuidelines } from '../schemas/labelling.ts'
import type { Studio } from '../studio.ts'
import { usualExamplesFor, usualPicture } from '../usual-examples.ts'
import { refuse } from './failures.ts'
import { jsonRoute } from './route.ts'
import { usualGuidelines } from './usual-guidelines.ts'

export const guidelineRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/guidelines',
    summary: 'What raters are told, with example images.',
    who: 'rater',
    answer: ShownGuidelines,
    handle: async ({ studio }) => await shown(studio, await current(studio)),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/guidelines',
    summary: 'Change what raters are told; earlier versions stay on record, and nobody is asked about an example.',
    who: 'admin',
    body: Guidelines,
    bodyLimit: 200_000,
    answer: ShownGuidelines,
    state: ({ studio }) => latestGuidelines(studio.store.database),
    handle: async ({ studio, rater, body }) => {
      await expectExamples(studio, body)
      await addGuidelines(studio.store.database, { ...body, createdAt: new Date().toISOString(), author: rater })
      return await shown(studio, body)
    },
  }),
]

const current = async ({ store, model }: Studio): Promise<Guidelines> =>
  (await latestGuidelines(store.database)) ?? { ...usualGuidelines, examples: usualExamplesFor(model) }

/** Of an image that was deleted there is no picture. */
async function shown(studio: Studio, { text, reasons, consent, examples }: Guidelines): Promise<ShownGuidelines> {
  const pictured = examples.map(async (example) => ({ ...example, ...(await pictureOf(studio, example.image)) }))
  return { text, reasons, consent, examples: await Promise.all(pictured) }
}

async function pictureOf({ images }: Studio, id: string) {
  const usual = usualPicture(id)
  if (usual !== undefined) return usual
  const picture = await images.refIfThere(id)
  if (picture === undefined) return { picture: null, prompt: '' }
  return { picture, prompt: (await images.find(id)).record.text }
}

/** @throws {StudioError} one is not there, or was drawn for a comparison, where its voters would know it again */
async function expectExamples({ store, rounds, images }: Studio, { examples }: Guidelines): Promise<void> {
  const records = (await store.images()).map(({ record }) => record)
  const asked = new Set(askable(records, await rounds.all()).map(({ id }) => id))
  for (const [place, { image }] of examples.entries()) {
    if (usualPicture(image) !== undefined) continue
    if (asked.has(image) && (await images.refIfThere(image)) !== undefined) continue
    throw refuse(409, 'missing', {
      where: `guidelines examples ${place + 1}`,
      expected: 'an image that people are asked about',
      received: asked.has(image) ? `${image}, which was deleted` : `${image}, which is none`,
      remedy: 'leave it out, or choose another',
    })
  }
}
