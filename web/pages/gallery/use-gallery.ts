/** The pages of the gallery that have been asked for, one after the other. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { GalleryImage, GalleryPage } from '../../../src/studio/schemas/gallery.ts'
import { client } from '../../api.ts'
import type { GallerySearch } from './gallery-search.ts'

export interface Gallery {
  readonly images: readonly GalleryImage[]
  readonly page: GalleryPage | undefined
  readonly error: unknown
  readonly isBusy: boolean
  /** Asks for the next page, where there is one. */
  readonly more: () => void
  readonly reload: () => void
  /** What has changed of some images, until they are asked for anew; undefined: they are no longer among them. */
  readonly amend: (change: (image: GalleryImage) => GalleryImage | undefined) => void
}

interface Held {
  readonly key: string
  readonly images: readonly GalleryImage[]
  readonly page?: GalleryPage
  readonly error?: unknown
}

export function useGallery(search: GallerySearch): Gallery {
  const key = JSON.stringify(search)
  const [held, setHeld] = useState<Held>({ key: '', images: [] })
  const [isBusy, setBusy] = useState(false)
  const latest = useRef(key)
  latest.current = key
  const ask = useCallback(async (asked: string, before: Held | undefined) => {
    setBusy(true)
    try {
      const after = before?.page?.next
      const query = { ...(JSON.parse(asked) as GallerySearch), ...(typeof after === 'string' && { after }) }
      const page = await client.gallery(query)
      if (latest.current !== asked) return
      const known = new Set(before?.images.map(({ id }) => id))
      setHeld({
        key: asked,
        page,
        images: [...(before?.images ?? []), ...page.images.filter(({ id }) => !known.has(id))],
      })
    } catch (error) {
      if (latest.current === asked) setHeld({ key: asked, images: before?.images ?? [], ...before, error })
    } finally {
      if (latest.current === asked) setBusy(false)
    }
  }, [])
  useEffect(() => void ask(key, undefined), [ask, key])
  const isFresh = held.key === key
  return {
    images: isFresh ? held.images : [],
    page: held.page,
    error: isFresh ? held.error : undefined,
    isBusy: isBusy || !isFresh,
    more: () => {
      if (isFresh && !isBusy && typeof held.page?.next === 'string') void ask(key, held)
    },
    reload: () => void ask(key, undefined),
    amend: (change) => setHeld((now) => ({ ...now, images: now.images.flatMap((image) => change(image) ?? []) })),
  }
}
