/** A studio of realistic size, with accounts for its raters. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { saveRater } from '../../src/feedback/raters/raters.ts'
import { addSession } from '../../src/feedback/raters/sessions.ts'
import { random } from '../../src/random.ts'
import { categories, type ImageRecord, type Judgment } from '../../src/records.ts'
import { hashOf } from '../../src/studio/server/access.ts'
import { openStudio } from '../../src/studio/open-studio.ts'

export interface StoreSize {
  readonly prompts: number
  readonly perPrompt: number
  /** That are there before the raters of the measurement begin. */
  readonly judgments: number
  readonly raters: number
}

/** Which images are judged, and how. */
const judgmentStream = [1] as const

/** @returns the raters' session tokens */
export async function fillStore(folder: string, database: string | null, size: StoreSize): Promise<string[]> {
  await using studio = await openStudio(folder, { database, login: true })
  const { store, rounds } = studio
  const place = studio.workspace.at('runs', 'images-1')
  mkdirSync(join(place, 'images'), { recursive: true })
  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#456' } }).png().toBuffer() // prettier-ignore
  const records: ImageRecord[] = Array.from({ length: size.prompts * size.perPrompt }, (_, index) => {
    const prompt = Math.floor(index / size.perPrompt)
    const sha256 = createHash('sha256').update(`image ${index}`).digest('hex')
    const file = `images/${index}.png`
    writeFileSync(join(place, file), png)
    const category = categories[prompt % categories.length]
    return { id: sha256.slice(0, 16), prompt: `p${prompt}`, text: `prompt number ${prompt}`, category, file, sha256, seed: 1, index, policy: 'pretrained' } // prettier-ignore
  })
  await store.addImages(records, place)
  const images = records.map(({ id }) => id)
  await rounds.add({ name: 'images-1', policy: 'pretrained', purpose: 'round', createdAt: new Date().toISOString(), images }) // prettier-ignore
  const stream = random(...judgmentStream)
  const judgments = stream
    .shuffle(images)
    .slice(0, size.judgments)
    .map((id, index): Judgment => ({
      id: `earlier ${index}`,
      kind: 'good-bad-skip',
      images: [id],
      answer: stream.pick(['good', 'bad'] as const),
      rater: nameOf(index % size.raters),
      raterKind: 'person',
      at: new Date().toISOString(),
    }))
  await store.addJudgments(judgments)
  await saveRater(store.database, { name: 'admin', role: 'admin' })
  const tokens: string[] = []
  for (let index = 0; index < size.raters; index++) {
    const token = randomBytes(32).toString('base64url')
    await saveRater(store.database, { name: nameOf(index) })
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
    const createdAt = new Date().toISOString()
    await addSession(store.database, { tokenHash: hashOf(token), rater: nameOf(index), createdAt, expiresAt })
    tokens.push(token)
  }
  return tokens
}

const nameOf = (index: number) => `rater ${index}`
