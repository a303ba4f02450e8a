/** A feedback store of judged pictures, some square and some not: those of the colour that the prompt names are good. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openFeedback } from '../feedback/store.ts'
import { encodePng, type Picture } from '../images/png.ts'
import { random } from '../random.ts'
import type { ImageRecord, Judgment } from '../records.ts'

const colors = { red: [220, 30, 30], green: [30, 200, 40], blue: [40, 60, 230], white: [240, 240, 240] } as const
type Color = keyof typeof colors
const sizes = [
  [40, 40],
  [40, 40],
  [56, 32],
] as const

/** The colour with noise on it. */
export function coloredPicture(color: Color, [width, height]: readonly [number, number], seed: number): Picture {
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
export async function judgedStore(folder: string, prompts: readonly string[], perPrompt = 9): Promise<string> {
  mkdirSync(join(folder, 'images'), { recursive: true })
  const file = join(folder, 'feedback.sqlite')
  await using store = await openFeedback(file)
  const records: ImageRecord[] = []
  const judgments: Judgment[] = []
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
      judgments.push({
        id: `j${index}`,
        kind: 'good-bad-skip',
        images: [id],
        answer: k === 8 ? 'skip' : text.includes(color) ? 'good' : 'bad',
        rater: 'r',
        raterKind: 'person',
        at: '2026-01-01T00:00:00.000Z',
      })
    }
  }
  await store.addImages(records, folder)
  await store.addJudgments(judgments)
  return file
}
