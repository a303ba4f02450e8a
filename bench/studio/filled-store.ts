/** A studio of realistic size, with accounts for its raters: rounds, images, judgments of all kinds, rewards and policies. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { saveRater } from '../../src/feedback/raters/raters.ts'
import { addSession } from '../../src/feedback/raters/sessions.ts'
import { random, type Random } from '../../src/random.ts'
import { categories, type ImageRecord, type Judgment } from '../../src/records.ts'
import { disagreementsName, uncertaintiesName } from '../../src/run-files.ts'
import { startRun } from '../../src/run.ts'
import { hashOf } from '../../src/studio/server/access.ts'
import { openStudio, type OpenedStudio } from '../../src/studio/open-studio.ts'

export interface StoreSize {
  readonly prompts: number
  readonly perPrompt: number
  /** That are there before the raters of the measurement begin. */
  readonly judgments: number
  /** Images that the judgments are about; the others are fresh. */
  readonly judged: number
  readonly raters: number
  readonly rounds: number
}

/** Which images are judged, and how. */
const judgmentStream = [1] as const

/** @returns the session tokens of an admin and of the raters */
export async function fillStore(
  folder: string,
  database: string | null,
  size: StoreSize,
): Promise<{ readonly admin: string; readonly raters: string[] }> {
  await using studio = await openStudio(folder, { database, login: true })
  const { store, rounds } = studio
  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#456' } }).png().toBuffer() // prettier-ignore
  const records: ImageRecord[] = []
  for (let round = 0; round < size.rounds; round++) {
    const drawn = drawRound(studio, size, round, png)
    const images = drawn.map(({ id }) => id)
    const name = `images-${round + 1}`
    await store.addImages(drawn, studio.workspace.at('runs', name))
    await rounds.add({ name, policy: drawn[0].policy, purpose: 'round', createdAt: new Date().toISOString(), images })
    records.push(...drawn)
  }
  for (let round = 0; round < size.rounds; round++) addTrainings(studio, round + 1, records)
  await store.addJudgments(judgmentsOf(records.slice(0, size.judged), size))
  await saveRater(store.database, { name: 'admin', role: 'admin' })
  const names = Array.from({ length: size.raters }, (_, index) => nameOf(index))
  for (const name of names) await saveRater(store.database, { name })
  const tokens: string[] = []
  for (const rater of ['admin', ...names]) {
    const token = randomBytes(32).toString('base64url')
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
    await addSession(store.database, { tokenHash: hashOf(token), rater, createdAt: new Date().toISOString(), expiresAt, begunBy: 'link' }) // prettier-ignore
    tokens.push(token)
  }
  const [admin, ...raters] = tokens
  return { admin, raters }
}

/** The same prompts with other noise, by the policy that the round before led to. */
function drawRound({ workspace }: OpenedStudio, size: StoreSize, round: number, png: Buffer): ImageRecord[] {
  const policy = round === 0 ? 'pretrained' : `dpok-${round}`
  const parents: Record<string, string> = round === 0 ? {} : { policy: `runs/${policy}` }
  using run = startRun({ folder: workspace.at('runs', `images-${round + 1}`), stage: 'images generate', config: parents, parents }) // prettier-ignore
  mkdirSync(run.path('images'))
  const images = Math.floor((size.prompts * size.perPrompt) / size.rounds)
  const records = Array.from({ length: images }, (_, index): ImageRecord => {
    const prompt = round * Math.floor(size.prompts / size.rounds) + Math.floor(index / size.perPrompt)
    const sha256 = createHash('sha256').update(`image ${round} ${index}`).digest('hex')
    const file = `images/${index}.png`
    writeFileSync(run.path(file), png)
    const category = categories[prompt % categories.length]
    return { id: sha256.slice(0, 16), prompt: `p${prompt}`, text: `prompt number ${prompt}`, category, file, sha256, seed: 1 + round, index, policy } // prettier-ignore
  })
  writeFileSync(run.path('images.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  run.finish({ images })
  return records
}

/** A reward and a policy as their stages leave them. */
function addTrainings({ workspace }: OpenedStudio, number: number, records: readonly ImageRecord[]): void {
  const stream = random(...judgmentStream, number)
  const images = records.map(({ id }) => id)
  const finished = (
    name: string,
    stage: string,
    parents: Record<string, string>,
    results: object,
    files: Record<string, unknown>,
  ) => {
    // prettier-ignore
    using run = startRun({ folder: workspace.at('runs', name), stage, config: parents, parents })
    for (const [file, content] of Object.entries(files)) writeFileSync(run.path(file), JSON.stringify(content))
    run.finish({ ...results })
  }
  const heldOut = { n: 400, prompts: 80, accuracy: 0.8, auc: 0.85, aucInterval: [0.8, 0.9] }
  const results = { labels: 2000, prompts: 400, raters: 20, head: 'mlp', encoder: { name: 'shapes' }, heldOut }
  finished(`reward-${number}`, 'reward train', { images: `runs/images-${number}` }, results, {
    [uncertaintiesName]: Object.fromEntries(images.map((id) => [id, stream.uniform()])),
    [disagreementsName]: images.slice(0, 50).map((image) => ({ image, score: stream.uniform(), people: 0, judgments: 2 })), // prettier-ignore
  })
  finished(`dpok-${number}`, 'policy dpok', { reward: `runs/reward-${number}` }, { iterations: 30, reward: 0.5 }, {})
}

function judgmentsOf(records: readonly ImageRecord[], { judgments, raters }: StoreSize): Judgment[] {
  const stream = random(...judgmentStream)
  const ofPrompt = [...Map.groupBy(records, ({ text }) => text).values()]
  return Array.from({ length: judgments }, (_, index): Judgment => {
    const given = {
      id: `earlier ${index}`,
      rater: nameOf(index % raters),
      raterKind: 'person',
      at: new Date(Date.now() - 60_000).toISOString(),
      durationMs: 500 + 3000 * stream.uniform(),
    } as const
    return answered(given, stream.shuffle(stream.pick(ofPrompt)).map(({ id }) => id), stream) // prettier-ignore
  })
}

/** Half good or bad, a quarter pairs, the rest ratings, rankings and votes. */
function answered(
  given: Pick<Judgment, 'id' | 'rater' | 'raterKind' | 'at' | 'durationMs'>,
  images: readonly string[],
  stream: Random,
): Judgment {
  const kind = stream.pick(['good-bad-skip', 'good-bad-skip', 'good-bad-skip', 'pair', 'pair', 'rating', 'ranking', 'vote'] as const) // prettier-ignore
  const rating = () => 1 + stream.integer(0, 6)
  switch (kind) {
    case 'good-bad-skip':
      return { ...given, kind, images: images.slice(0, 1), answer: stream.pick(['good', 'good', 'bad', 'bad', 'skip']) }
    case 'pair':
      return { ...given, kind, images: images.slice(0, 2), answer: stream.pick(['first', 'second', 'tie', 'both-bad']) }
    case 'rating':
      return { ...given, kind, images: images.slice(0, 1), answer: 'rated', ratings: { overall: rating(), alignment: rating(), fidelity: rating() } } // prettier-ignore
    case 'ranking':
      return { ...given, kind, images: images.slice(0, 4), answer: 'ranked', ranks: stream.shuffle([1, 2, 3, 4]) }
    case 'vote':
      return { ...given, kind, images: images.slice(0, 2), answer: stream.pick(['first', 'second', 'tie']), policies: ['pretrained', 'dpok-1'], question: 'alignment' } // prettier-ignore
  }
}

const nameOf = (index: number) => `rater ${index}`
