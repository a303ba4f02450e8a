import { useState } from 'react'
import type { GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { client } from '../../api.ts'
import { Icon } from '../../components/icon.tsx'
import { policyTitle } from '../../format.ts'
import { isSmall } from '../../picture-loads.ts'
import { useTexts } from '../../texts/texts.ts'
import { answersOf } from './answers-of.ts'

interface GalleryCellProps {
  readonly image: GalleryImage
  readonly isSelected: boolean
  /** The keys are here. */
  readonly isFocused: boolean
  readonly focus: () => void
  readonly open: () => void
  readonly select: (isRange: boolean) => void
}

/** An image of the grid: a click opens it, its box chooses it. */
export function GalleryCell({ image, isSelected, isFocused, focus, open, select }: GalleryCellProps) {
  const { gallery } = useTexts()
  const answers = answersOf(image)
  const said = image.archived ? `${gallery.archived} · ${answers}` : answers
  return (
    <li className="gallery-cell" data-selected={isSelected} data-archived={image.archived}>
      <button
        type="button"
        className="zoomable gallery-open"
        tabIndex={isFocused ? 0 : -1}
        aria-label={gallery.cell(image.prompt.slice(0, 120), policyTitle(image.policy), said)}
        onFocus={focus}
        onClick={({ shiftKey, ctrlKey, metaKey }) => {
          if (shiftKey || ctrlKey || metaKey) select(shiftKey)
          else open()
        }}
      >
        <Thumbnail image={image} />
      </button>
      <input
        type="checkbox"
        className="gallery-check"
        aria-label={gallery.choose(image.prompt.slice(0, 120))}
        tabIndex={isFocused ? 0 : -1}
        checked={isSelected}
        onFocus={focus}
        onChange={() => undefined}
        onClick={({ shiftKey }) => select(shiftKey)}
      />
      <span className="gallery-prompt" dir="auto" title={image.prompt}>
        {image.prompt}
      </span>
      <span className="gallery-said">{said}</span>
    </li>
  )
}

/** A small copy, which the browser fetches when its place comes near. */
export function Thumbnail({ image: { image } }: { image: Pick<GalleryImage, 'image'> }) {
  const { gallery } = useTexts()
  const [isBroken, setBroken] = useState(image === null)
  if (image === null || isBroken) {
    return (
      <span className="not-loaded gallery-broken">
        <Icon name="image" size={24} />
        <span>{gallery.broken}</span>
      </span>
    )
  }
  return (
    <img
      className={isSmall(image) ? 'pixelated' : ''}
      src={client.imageUrl(image.id, isSmall(image) ? undefined : 256)}
      width={image.width}
      height={image.height}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setBroken(true)}
    />
  )
}
