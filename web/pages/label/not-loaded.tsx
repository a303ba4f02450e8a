import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { useTexts } from '../../texts/texts.ts'
import { reloadPicture, statusOf, usePictures, type PictureSize } from '../../picture-loads.ts'

interface NotLoadedProps {
  /** What it says of them, meanwhile and then. */
  readonly says: { readonly loading: string; readonly broken: string }
  readonly images: readonly ImageRef[]
  readonly shown: PictureSize
  /** Leaves the question out. */
  readonly skip: () => void
}

/** In place of the answers to what cannot be seen: try again, or go on without it. */
export function NotLoaded({ says, images, shown, skip }: NotLoadedProps) {
  const { missing } = useTexts().label
  const status = usePictures(images, shown)
  return (
    <div className="not-loaded-choice">
      <span className="small" role="status">
        {status === 'broken' ? says.broken : says.loading}
      </span>
      <div className="row">
        <button
          type="button"
          className="button small"
          onClick={() => {
            for (const image of images) if (statusOf(image, shown) !== 'shown') reloadPicture(image, shown)
          }}
        >
          {missing.loadAgain}
        </button>
        <button type="button" className="button small" disabled={status !== 'broken'} onClick={skip}>
          {missing.skipAsBroken}
        </button>
      </div>
    </div>
  )
}
