/** The columns of Pick-a-Pic v2 (Kirstain et al. 2023), as its parquet files on Hugging Face have them. */
import { createHash } from 'node:crypto'
import type { SchemaElement } from 'hyparquet'
import type { Judgment } from '../../records.ts'
import { ranksOf } from './image-reward.ts'

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const
const bytes = { type: 'BYTE_ARRAY' } as const
const whole = { type: 'INT64' } as const
const truth = { type: 'BOOLEAN' } as const
const label = { type: 'DOUBLE' } as const
const time = { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' } } as const

/** In their order. */
export const columns = {
  are_different: truth,
  best_image_uid: text,
  caption: text,
  created_at: time,
  has_label: truth,
  image_0_uid: text,
  image_0_url: text,
  image_1_uid: text,
  image_1_url: text,
  jpg_0: bytes,
  jpg_1: bytes,
  label_0: label,
  label_1: label,
  model_0: text,
  model_1: text,
  ranking_id: whole,
  user_id: whole,
  num_example_per_prompt: whole,
  __index_level_0__: whole,
} as const satisfies Readonly<Record<string, Omit<SchemaElement, 'name'>>>

/** One comparison of two images; 1 and 0, or 0.5 and 0.5 for a tie. */
export interface PickRow {
  readonly are_different: boolean
  readonly best_image_uid: string
  readonly caption: string
  /** Nanoseconds since 1970; null before 1678 and after 2261, which they do not reach. */
  readonly created_at: bigint | null
  readonly has_label: boolean
  readonly image_0_uid: string
  readonly image_0_url: string
  readonly image_1_uid: string
  readonly image_1_url: string
  readonly jpg_0: Uint8Array
  readonly jpg_1: Uint8Array
  readonly label_0: number
  readonly label_1: number
  readonly model_0: string
  readonly model_1: string
  readonly ranking_id: bigint
  readonly user_id: bigint
  readonly num_example_per_prompt: bigint
  readonly __index_level_0__: bigint
}

/** The number of a judgment, below 2⁵², that all pairs of a ranking share. */
export const rankingNumber = (judgment: string): number =>
  parseInt(createHash('sha256').update(`ranking ${judgment}`).digest('hex').slice(0, 13), 16)

/** What one row says. */
export interface Pair {
  readonly judgment: Judgment
  /** Ids, in the order shown. */
  readonly images: readonly [string, string]
  /** Of the first: 1 is better, 0 worse, 0.5 a tie. */
  readonly label: number
}

/** The rows of a judgment: one for a pair, one for every two images of a ranking, none for anything else. */
export function pairsOf(judgment: Judgment): Pair[] {
  const { images } = judgment
  const ranks = ranksOf(judgment)
  if (ranks === undefined) return []
  return images.flatMap((first, i) =>
    images.slice(i + 1).map((second, j): Pair => {
      const [own, other] = [ranks[i], ranks[i + 1 + j]]
      return { judgment, images: [first, second], label: own === other ? 0.5 : own < other ? 1 : 0 }
    }),
  )
}
