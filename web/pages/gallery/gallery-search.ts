/** What the address of the gallery says: the filter, the order, and the image that is looked at. */
import { GalleryFilter, GallerySort } from '../../../src/studio/schemas/gallery.ts'

const Shown = GalleryFilter.extend({ sort: GallerySort }).partial()
type Shown = typeof Shown
export type GallerySearch = { readonly [K in keyof ReturnType<Shown['parse']>]?: ReturnType<Shown['parse']>[K] }
const names = Object.keys(Shown.shape) as (keyof GallerySearch)[]

/** What cannot be meant is left out, each by itself. */
export function readSearch(search: URLSearchParams): GallerySearch {
  const read = names.flatMap((name) => {
    const given = search.get(name)
    if (given === null || given === '') return []
    const parsed = Shown.shape[name].safeParse(given)
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : []
  })
  return Object.fromEntries(read) as GallerySearch
}

/** The address with a part of it changed; empty parts go, and so does the image that was looked at. */
export function withChange(search: URLSearchParams, change: Readonly<Record<string, string>>): URLSearchParams {
  const next = new URLSearchParams(search)
  next.delete('image')
  for (const [name, value] of Object.entries(change)) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  return next
}
