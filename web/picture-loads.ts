/** Which pictures have arrived, for all that shows them: what has not been seen cannot be judged. */
import { useSyncExternalStore } from 'react'
import type { ImageRef } from '../src/studio/schemas/basics.ts'
import { client } from './api.ts'

/** Up to so many pixels a side an image is drawn with hard edges: smoothing would invent what is not there. */
const small = 96
const sizes = [64, 128, 256, 512, 1024] as const
export type PictureSize = (typeof sizes)[number]

export const isSmall = ({ width, height }: ImageRef): boolean => Math.max(width, height) <= small

/** The address of an image for a place of `shown` CSS pixels. */
function pictureUrl(image: ImageRef, shown: PictureSize): string {
  if (isSmall(image)) return client.imageUrl(image.id)
  const wanted = shown * Math.min(2, globalThis.devicePixelRatio || 1)
  return client.imageUrl(image.id, sizes.find((size) => size >= wanted) ?? 1024)
}

/** On its way, decoded, or not to be had. */
type PictureStatus = 'loading' | 'shown' | 'broken'
interface Load {
  readonly status: PictureStatus
  /** Times that it was asked for again: each has an address of its own, since a browser keeps what it was sent. */
  readonly again: number
}

const unknown: Load = { status: 'loading', again: 0 }
const loads = new Map<string, Load>()
const listeners = new Set<() => void>()

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
const loadOf = (url: string): Load => loads.get(url) ?? unknown

export function tellPicture(url: string, change: Partial<Load>): void {
  loads.set(url, { ...loadOf(url), ...change })
  for (const listener of listeners) listener()
}

const addressOf = (url: string, { again }: Load): string =>
  again === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}again=${again}`

/** Asks for a picture anew. */
export const reloadPicture = (image: ImageRef, shown: PictureSize): void => {
  const url = pictureUrl(image, shown)
  tellPicture(url, { status: 'loading', again: loadOf(url).again + 1 })
}

/** Fulfilled with whether the whole of it could be read: a browser says "loaded" of half a picture as well. */
export const isWhole = (element: HTMLImageElement): Promise<boolean> =>
  element.decode().then(
    () => true,
    () => false,
  )

/** Asks for a picture ahead of its turn. While the element is held, the browser keeps it decoded. */
export async function loadPicture(image: ImageRef, shown: PictureSize, hold: (element: HTMLImageElement) => void) {
  const url = pictureUrl(image, shown)
  const element = new Image()
  element.src = addressOf(url, loadOf(url))
  hold(element)
  tellPicture(url, { status: (await isWhole(element)) ? 'shown' : 'broken' })
}

/** How it stands with one picture, and where it is to be fetched. */
export function usePicture(image: ImageRef, shown: PictureSize) {
  const url = pictureUrl(image, shown)
  const load = useSyncExternalStore(subscribe, () => loadOf(url))
  return { url, address: addressOf(url, load), status: load.status }
}

/** How it stands with several: broken where one is, shown where all are. */
export function usePictures(images: readonly ImageRef[], shown: PictureSize): PictureStatus {
  return useSyncExternalStore(subscribe, () => {
    const all = images.map((image) => loadOf(pictureUrl(image, shown)).status)
    return all.find((one) => one === 'broken') ?? all.find((one) => one === 'loading') ?? 'shown'
  })
}

export const statusOf = (image: ImageRef, shown: PictureSize): PictureStatus => loadOf(pictureUrl(image, shown)).status
