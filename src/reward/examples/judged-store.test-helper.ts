/** A feedback store of judged pictures, some square and some not: those of the colour that the prompt names are good. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFeedback } from '../../feedback/store/store.ts'
import { encodePng, type Picture } from '../../images/png.ts'
import { random } from '../../random.ts'
import type { ImageRecord, Judgment } from '../../records.ts'

const colors = { red: [220, 30, 30], green: [30, 200, 40], blue: [40, 60, 230], white: [240, 240, 240] } as const
type Color = keyof typeof colors
const sizes = [
  [40, 40],
  [40, 40],
  [56, 32],
] as const

/** The colour with noise on it. */
function coloredPicture(color: Color, [width, height]: readonly [number, number], seed: number): Picture {
  const stream = random(seed)
  const bytes = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.min(255, Math.max(0, colors[color][i % 3] + stream.integer(-25, 25))),
  )
  return { bytes, width, height }
}

/**
 * @param prompts each names a colour, or none
 * @returns the store's file
 */
export const judgedStore = (folder: string, prompts: readonly string[], perPrompt = 9): Promise<string> =>
  storeOf(folder, prompts, perPrompt, (images) =>
    images.map(({ id, text, color, place }) => ({
      ...common(`j${id}`),
      kind: 'good-bad-skip',
      images: [id],
      answer: place === 8 ? 'skip' : text.includes(color) ? 'good' : 'bad',
    })),
  )

/**
 * The same pictures, four of each prompt: three pairs, one of them a tie, a ranking of three and ratings of the last two.
 * Those of the right colour are better.
 */
export const comparedStore = (folder: string, prompts: readonly string[]): Promise<string> =>
  storeOf(folder, prompts, 4, (images) =>
    [...Map.groupBy(images, ({ text }) => text).values()].flatMap((group): Judgment[] => {
      const [right, ...wrong] = group.toSorted((a, b) => levelOf(b) - levelOf(a)).map(({ id }) => id)
      const pair = (place: number, first: string, second: string, answer: 'first' | 'second' | 'tie'): Judgment => ({
        ...common(`p${place}${first}`),
        kind: 'pair',
        images: [first, second],
        answer,
      })
      return [
        pair(0, right, wrong[0], 'first'),
        pair(1, wrong[1], right, 'second'),
        pair(2, wrong[0], wrong[2], 'tie'),
        {
          ...common(`k${right}`),
          kind: 'ranking',
          images: [right, wrong[0], wrong[1]],
          answer: 'ranked',
          ranks: [1, 2, 3],
        },
        ...[right, wrong[2]].map((id, i): Judgment => {
          const ratings = { overall: 6 - 3 * i, alignment: 4, fidelity: 4 }
          return { ...common(`r${id}`), kind: 'rating', images: [id], answer: 'rated', ratings }
        }),
      ]
    }),
  )

const common = (id: string) => ({ id, rater: 'r', raterKind: 'person' as const, at: '2026-01-01T00:00:00.000Z' })

interface StoredPicture {
  readonly id: string
  readonly text: string
  readonly color: Color
  /** Among those of its prompt. */
  readonly place: number
}

const levelOf = ({ text, color }: StoredPicture) => (text.includes(color) ? 1 : 0)

async function storeOf(
  folder: string,
  prompts: readonly string[],
  perPrompt: number,
  judge: (images: readonly StoredPicture[]) => Judgment[],
): Promise<string> {
  mkdirSync(join(folder, 'images'), { recursive: true })
  const file = join(folder, 'feedback.sqlite')
  await using store = await openFeedback(file)
  const records: ImageRecord[] = []
  const pictures: StoredPicture[] = []
  for (const [place, text] of prompts.entries()) {
    for (let k = 0; k < perPrompt; k++) {
      const index = place * perPrompt + k
      const id = index.toString(16).padStart(16, '0')
      const color = (Object.keys(colors) as Color[])[(place + k) % 4]
      const name = `images/${id}.png`
      writeFileSync(join(folder, name), await encodePng(coloredPicture(color, sizes[index % sizes.length], index)))
      records.push({
        id,
        prompt: `p${place}`,
        text,
        category: 'color',
        file: name,
        sha256: 'a'.repeat(64),
        seed: 0,
        index,
        policy: 'pretrained',
        sampler: 'ddim',
        steps: 1,
        eta: 0,
        guidance: 1,
      })
      pictures.push({ id, text, color, place: k })
    }
  }
  await store.addImages(records, folder)
  await store.addJudgments(judge(pictures))
  return file
}
