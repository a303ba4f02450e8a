import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { reloadPicture, statusOf, usePictures, type PictureSize } from '../../picture-loads.ts'

interface NotLoadedProps {
  /** `Image 2`, `The left image` */
  readonly what: string
  readonly images: readonly ImageRef[]
  readonly shown: PictureSize
  /** Leaves the question out. */
  readonly skip: () => void
}

/** In place of the answers to what cannot be seen: try again, or go on without it. */
export function NotLoaded({ what, images, shown, skip }: NotLoadedProps) {
  const status = usePictures(images, shown)
  return (
    <div className="not-loaded-choice">
      <span className="small" role="status">
        {status === 'broken' ? `${what} did not load, so it cannot be judged.` : `${what} is loading.`}
      </span>
      <div className="row">
        <button
          type="button"
          className="button small"
          onClick={() => {
            for (const image of images) if (statusOf(image, shown) !== 'shown') reloadPicture(image, shown)
          }}
        >
          Load again
        </button>
        <button type="button" className="button small" disabled={status !== 'broken'} onClick={skip}>
          Skip as broken
        </button>
      </div>
    </div>
  )
}
