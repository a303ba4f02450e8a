/** Records for the tests of this folder. */
import { createHash } from 'node:crypto'
import type { ImageRecord, Judgment } from '../records.ts'

type GoodBadSkip = Extract<Judgment, { kind: 'good-bad-skip' }>

export const awkwardTexts = [
  '<script>alert("1")</script>',
  'a "quoted", comma\'d; prompt\\',
  'שני עיגולים אדומים على خلفية',
  'dog 🐕‍🦺 and 👩‍👩‍👧',
  '=1+1',
  'two\nlines',
]

export function imageRecord(index: number, text = `prompt ${index}`): ImageRecord {
  const sha256 = createHash('sha256').update(`${text}\0${index}`).digest('hex')
  return {
    id: sha256.slice(0, 16),
    prompt: `p${index}`,
    text,
    category: 'other',
    file: `images/${String(index).padStart(4, '0')}.png`,
    sha256,
    seed: 1,
    index,
    policy: 'pretrained',
    sampler: 'ddim',
    steps: 10,
    eta: 1,
    guidance: 1.5,
  }
}

export function judgment(id: string, image: ImageRecord, answer: GoodBadSkip['answer'] = 'good'): GoodBadSkip {
  return {
    id,
    kind: 'good-bad-skip',
    images: [image.id],
    answer,
    rater: 'ada',
    raterKind: 'person',
    at: '2026-01-01T00:00:00Z',
  }
}
