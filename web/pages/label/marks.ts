/** What a rater marks on the screen: places of images, and words of the prompt that they misread. */
import { createContext } from 'react'
import { mostMisread, mostRegions, type Region } from '../../../src/records.ts'
import type { NewJudgment } from '../../../src/studio/schemas/labelling.ts'

export type Point = Omit<Region, 'image'>

/** Of one image. */
export interface ImageMarks {
  readonly points: readonly Point[]
  /** Places of words in the prompt, in their order. */
  readonly words: readonly number[]
}

/** By the ids of images. */
export type Marks = ReadonlyMap<string, ImageMarks>

export const noMarks: ImageMarks = { points: [], words: [] }

/** With a point more; as it was where there are as many as there may be. */
export function withPoint({ points, words }: ImageMarks, point: Point): ImageMarks {
  const share = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4
  if (points.length >= mostRegions) return { points, words }
  return { points: [...points, { ...point, x: share(point.x), y: share(point.y) }], words }
}

export const withoutPoint = ({ points, words }: ImageMarks, place: number): ImageMarks => ({
  points: points.toSpliced(place, 1),
  words,
})

/** A word is marked, or no longer. */
export function withWord({ points, words }: ImageMarks, word: number): ImageMarks {
  if (words.includes(word)) return { points, words: words.filter((one) => one !== word) }
  if (words.length >= mostMisread) return { points, words }
  return { points, words: [...words, word].sort((a, b) => a - b) }
}

/** As a judgment of these images says it. */
export function saidOf(marks: Marks, images: readonly string[]): Pick<NewJudgment, 'regions' | 'misread'> {
  const regions = images.flatMap((id, image) => (marks.get(id)?.points ?? []).map((point) => ({ image, ...point })))
  const misread = images.flatMap((id, image) => (marks.get(id)?.words ?? []).map((word) => ({ image, word })))
  return { ...(regions.length > 0 && { regions }), ...(misread.length > 0 && { misread }) }
}

/** What a judgment says of its images; those of which it marks nothing are not among them. */
export function marksIn({ images, regions = [], misread = [] }: NewJudgment): Marks {
  return new Map(
    images.flatMap((id, place): [string, ImageMarks][] => {
      const points = regions.filter(({ image }) => image === place).map(({ image: _image, ...point }) => point)
      const words = misread.filter(({ image }) => image === place).map(({ word }) => word)
      return points.length + words.length === 0 ? [] : [[id, { points, words }]]
    }),
  )
}

/** How images are marked just now. */
export interface Marking {
  readonly isOn: boolean
  /** Of the next point. */
  readonly kind: Point['kind']
  readonly of: (image: string) => ImageMarks
  readonly change: (image: string, marks: ImageMarks) => void
  /** Without a button or a key: by a finger that stays. */
  readonly begin: () => void
}

/** Undefined where nothing can be marked, as in votes. */
export const MarkingContext = createContext<Marking | undefined>(undefined)
