/** A stand-in for a person: answers by the judge, with errors and skips at stated rates, and says that it is simulated. */
import { createHash } from 'node:crypto'
import { VocabularyError } from '../errors.ts'
import { random } from '../random.ts'
import type { ImageRecord, Judgment } from '../records.ts'
import { shapesStreams } from '../streams.ts'
import { isAligned, judgeImage } from './judge.ts'

export interface SimulatedRaterOptions {
  /** Share of the answers that are flipped, 0 … 1. */
  readonly errorRate: number
  /** Share of the images that are skipped, 0 … 1. */
  readonly skipRate: number
  readonly seed: number
  /** Time of the judgments, ISO 8601 in UTC; now where absent. */
  readonly at?: string
}

/** One image with its pixels, uint8 [imageSize, imageSize, 3]. */
export interface ImageToJudge {
  readonly record: ImageRecord
  readonly bytes: Uint8Array
}

/**
 * One judgment per image, in order. Ids and answers depend on the seed and the image's id alone.
 *
 * @throws {VocabularyError} where an image's prompt states no attributes, so that the judge cannot tell
 */
export function simulateJudgments(images: readonly ImageToJudge[], options: SimulatedRaterOptions): Judgment[] {
  const at = options.at ?? new Date().toISOString()
  const rater = raterName(options)
  return images.map(({ record, bytes }) => {
    if (record.attributes === undefined) {
      throw new VocabularyError({
        where: `image ${record.id}`,
        expected: 'a prompt made from the vocabulary of shapes',
        received: `"${record.text}"`,
        remedy: 'let a person judge it: the simulated rater knows shapes only',
      })
    }
    const aligned = isAligned(record.attributes, judgeImage(bytes))
    const [high, low] = [record.id.slice(0, 8), record.id.slice(8)].map((half) => parseInt(half, 16))
    const stream = random(...shapesStreams.answer(options.seed, high, low))
    const skips = stream.uniform() < options.skipRate
    const errs = stream.uniform() < options.errorRate
    return {
      id: judgmentId(options.seed, record.id),
      kind: 'good-bad-skip',
      images: [record.id],
      answer: skips ? 'skip' : aligned !== errs ? 'good' : 'bad',
      rater,
      raterKind: 'simulated',
      at,
    }
  })
}

/** `simulated(error 5 %, skip 5 %)`. */
function raterName({ errorRate, skipRate }: Pick<SimulatedRaterOptions, 'errorRate' | 'skipRate'>): string {
  const percent = (rate: number) => `${Number((100 * rate).toFixed(2))} %`
  return `simulated(error ${percent(errorRate)}, skip ${percent(skipRate)})`
}

/** In the form of a UUID. */
function judgmentId(seed: number, image: string): string {
  const hex = createHash('sha256').update(`simulated:${seed}:${image}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
