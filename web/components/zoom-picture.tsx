/** A picture that a click, a pinch or a turn of the wheel with Ctrl lays over the window, alone or beside others. */
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode, type RefObject } from 'react'
import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import type { PictureSize } from '../picture-loads.ts'
import { useTexts } from '../texts/texts.ts'
import type { LightboxProps, ShownImage } from './lightbox.tsx'
import { Picture } from './picture.tsx'

const Lightbox = lazy(async () => ({ default: (await import('./lightbox.tsx')).Lightbox }))

/** Images over the window, once there is the code for it. */
export const Enlarged = (props: LightboxProps) => (
  <Suspense fallback={null}>
    <Lightbox {...props} />
  </Suspense>
)

interface ZoomableProps {
  /** What a click does: `Enlarge image 2`. */
  readonly label: string
  readonly enlarge: () => void
  readonly children: ReactNode
}

/** Enlarges by a pinch or a turn of the wheel with Ctrl over an element. */
export function useEnlarging<T extends HTMLElement>(enlarge: () => void): RefObject<T | null> {
  const element = useRef<T>(null)
  const latest = useRef(enlarge)
  useEffect(() => {
    latest.current = enlarge
  })
  useEffect(() => {
    const wheel = (event: WheelEvent) => {
      // A pinch on a touchpad comes as such a turn too; without Ctrl the page is scrolled.
      if (!event.ctrlKey || event.deltaY >= 0) return
      event.preventDefault()
      latest.current()
    }
    const touch = (event: TouchEvent) => {
      if (event.touches.length !== 2) return
      event.preventDefault()
      latest.current()
    }
    const current = element.current
    current?.addEventListener('wheel', wheel, { passive: false })
    current?.addEventListener('touchstart', touch, { passive: false })
    return () => {
      current?.removeEventListener('wheel', wheel)
      current?.removeEventListener('touchstart', touch)
    }
  }, [])
  return element
}

/** What a click enlarges as well. */
export function Zoomable({ label, enlarge, children }: ZoomableProps) {
  const element = useEnlarging<HTMLButtonElement>(enlarge)
  return (
    <button ref={element} type="button" className="zoomable" aria-label={label} onClick={enlarge}>
      {children}
    </button>
  )
}

interface ZoomPictureProps {
  readonly image: ImageRef
  readonly shown: PictureSize
  readonly alt: string
  /** Shown beside it when it is enlarged, itself among them; it alone without. */
  readonly beside?: readonly ShownImage[]
  readonly hasComments?: boolean
}

export function ZoomPicture({ image, shown, alt, beside = [{ image, alt }], hasComments = true }: ZoomPictureProps) {
  const { pictures } = useTexts()
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Zoomable label={pictures.enlarge(alt || pictures.theImage)} enlarge={() => setOpen(true)}>
        <Picture image={image} shown={shown} alt={alt} />
      </Zoomable>
      {isOpen && (
        <Enlarged
          title={alt || pictures.image}
          images={beside}
          hasComments={hasComments}
          close={() => setOpen(false)}
        />
      )}
    </>
  )
}
