/** An image that fills its place and is enlarged by wheel, pinch, double click or keys, and moved by dragging. */
import { useEffect, useRef, useState, type PointerEvent } from 'react'
import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import { client } from '../api.ts'
import { isSmall } from '../picture-loads.ts'
import '../styles/zoom.css'
import { useTexts } from '../texts/texts.ts'
import { Icon } from './icon.tsx'
import { fitted, moved, zoomedAt, type View } from './zoom-view.ts'

interface ZoomPaneProps {
  readonly image: ImageRef
  readonly alt: string
  /** Several panes may share one, so that they show the same part. */
  readonly view: View
  readonly setView: (change: (view: View) => View) => void
}

const wheelStep = 0.0022
/** A double click enlarges so far, or shows the whole again. */
const doubled = 3

export function ZoomPane({ image, alt, view, setView }: ZoomPaneProps) {
  const { pictures } = useTexts()
  const pane = useRef<HTMLDivElement>(null)
  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const [isBroken, setBroken] = useState(false)
  useEffect(() => setBroken(false), [image.id])
  useEffect(() => {
    const element = pane.current
    // React's own listener could not keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      const factor = Math.exp(-event.deltaY * wheelStep * (event.ctrlKey ? 4 : 1))
      setView((now) => zoomedAt(now, factor, placeIn(element!, event.clientX, event.clientY)))
    }
    element?.addEventListener('wheel', onWheel, { passive: false })
    return () => element?.removeEventListener('wheel', onWheel)
  }, [setView])

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId)
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
  }
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const before = pointers.current.get(event.pointerId)
    if (before === undefined) return
    const { width, height } = event.currentTarget.getBoundingClientRect()
    const now = { x: event.clientX, y: event.clientY }
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1]
    pointers.current.set(event.pointerId, now)
    if (other === undefined) {
      setView((one) => moved(one, (now.x - before.x) / width, (now.y - before.y) / height))
      return
    }
    const distance = (place: { x: number; y: number }) => Math.max(1, Math.hypot(place.x - other.x, place.y - other.y))
    const middle = placeIn(event.currentTarget, (now.x + other.x) / 2, (now.y + other.y) / 2)
    const factor = distance(now) / distance(before)
    setView((one) => zoomedAt(one, factor, middle))
  }
  const end = (event: PointerEvent) => void pointers.current.delete(event.pointerId)

  return (
    <div
      ref={pane}
      className="zoom-pane"
      data-zoomed={view.scale > 1}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={end}
      onPointerCancel={end}
      onDoubleClick={(event) => {
        const place = placeIn(event.currentTarget, event.clientX, event.clientY)
        setView((now) => (now.scale > 1 ? fitted : zoomedAt(now, doubled, place)))
      }}
    >
      {isBroken ? (
        <span className="picture not-loaded" role="img" aria-label={pictures.thisDidNotLoad(alt || pictures.aPicture)}>
          <Icon name="image" size={28} />
          <span>{pictures.didNotLoad}</span>
        </span>
      ) : (
        <img
          key={image.id}
          className={isSmall(image) ? 'pixelated' : ''}
          src={client.imageUrl(image.id)}
          alt={alt}
          draggable={false}
          onError={() => setBroken(true)}
          style={{ transform: `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})` }}
        />
      )}
    </div>
  )
}

/** A place of the screen from the middle of an element, as shares of its width and height. */
function placeIn(element: Element, clientX: number, clientY: number): { x: number; y: number } {
  const { left, top, width, height } = element.getBoundingClientRect()
  return { x: (clientX - left) / width - 0.5, y: (clientY - top) / height - 0.5 }
}
