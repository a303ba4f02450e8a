/** Swipes with one finger over an element: it follows the finger, and says what letting go would do. */
import { useRef, useState, type PointerEvent } from 'react'

export type Direction = 'left' | 'right' | 'up' | 'down'

/** Of an element that is being dragged, pixels. */
export interface Drag {
  readonly x: number
  readonly y: number
  /** Undefined where nothing happens in that direction. */
  readonly direction: Direction | undefined
  /** Letting go now answers. */
  readonly isFar: boolean
}

/** Pixels: from where on it is a swipe and no touch, and from where on it counts. A long press ends before it is one. */
const [begins, counts] = [14, 72]
/** At the sides of the screen begin the browser's own gestures. */
const edge = 24
/** Where an image has the screen for itself; see swipe.css. */
const phone = '(max-width: 480px)'

/** @param on what a swipe does, by its direction; the others do nothing */
export function useSwipes(on: Readonly<Partial<Record<Direction, () => void>>>) {
  const start = useRef<{ readonly id: number; readonly x: number; readonly y: number }>(undefined)
  const [drag, setDrag] = useState<Drag>()
  const end = () => {
    start.current = undefined
    setDrag(undefined)
  }
  const dragOf = ({ clientX, clientY }: PointerEvent): Drag => {
    const { x: fromX, y: fromY } = start.current ?? { x: clientX, y: clientY }
    const [x, y] = [clientX - fromX, clientY - fromY]
    const isSideways = Math.abs(x) >= Math.abs(y)
    const direction: Direction = isSideways ? (x < 0 ? 'left' : 'right') : y < 0 ? 'up' : 'down'
    const isFar = (isSideways ? Math.abs(x) : Math.abs(y)) >= counts
    return on[direction] === undefined ? { x: 0, y: 0, direction: undefined, isFar: false } : { x, y, direction, isFar }
  }
  return {
    drag,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        end()
        const { isPrimary, pointerType, clientX: x, clientY: y, pointerId: id } = event
        const isInside = x >= edge && x <= innerWidth - edge
        // A second finger begins to enlarge.
        if (isPrimary && pointerType === 'touch' && isInside && matchMedia(phone).matches) start.current = { id, x, y }
      },
      onPointerMove: (event: PointerEvent) => {
        if (start.current?.id !== event.pointerId) return
        if (drag === undefined) {
          if (Math.hypot(event.clientX - start.current.x, event.clientY - start.current.y) < begins) return
          event.currentTarget.setPointerCapture(event.pointerId)
        }
        setDrag(dragOf(event))
      },
      onPointerUp: (event: PointerEvent) => {
        const { direction, isFar } = drag === undefined ? { direction: undefined, isFar: false } : dragOf(event)
        end()
        if (direction !== undefined && isFar) on[direction]?.()
      },
      onPointerCancel: end,
    },
  }
}
