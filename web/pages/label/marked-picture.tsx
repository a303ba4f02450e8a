/** A picture that a rater may mark: by clicks, by the keyboard, or by a finger that stays on it. */
import { useContext, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { mostRegions } from '../../../src/records.ts'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { Picture } from '../../components/picture.tsx'
import { placeOf, Points } from '../../components/points.tsx'
import { useTexts } from '../../texts/texts.ts'
import { MarkingContext, withoutPoint, withPoint, type Marking } from './marks.ts'

interface MarkedPictureProps {
  readonly image: ImageRef
  readonly alt: string
  /** For those who do not see it: `Image 2`, `Left`. */
  readonly name: string
}

/** How long a finger has to stay, milliseconds, and how far it may move meanwhile, pixels. */
const longPress = { ms: 500, pixels: 12 }

export function MarkedPicture({ image, alt, name }: MarkedPictureProps) {
  const marking = useContext(MarkingContext)
  const area = useRef<HTMLSpanElement>(null)
  const press = useRef<{ x: number; y: number; timer: ReturnType<typeof setTimeout> }>(undefined)
  const wasLong = useRef(false)
  if (marking === undefined) return <Picture image={image} shown={512} alt={alt} />
  const { points } = marking.of(image.id)
  if (marking.isOn) {
    return (
      <span className="marked">
        <Picture image={image} shown={512} alt={alt} />
        <Markable {...{ image, name, marking }} />
      </span>
    )
  }
  const end = () => {
    clearTimeout(press.current?.timer)
    press.current = undefined
  }
  const begin = ({ pointerType, clientX: x, clientY: y }: PointerEvent) => {
    end()
    wasLong.current = false
    if (pointerType !== 'touch') return
    const timer = setTimeout(() => {
      wasLong.current = true
      press.current = undefined
      marking.begin()
      const place = area.current && shareOf(area.current, x, y)
      if (place) marking.change(image.id, withPoint(marking.of(image.id), { kind: marking.kind, ...place }))
    }, longPress.ms)
    press.current = { x, y, timer }
  }
  return (
    <span
      className="marked"
      onPointerDown={begin}
      onPointerMove={({ clientX, clientY }) => {
        const { x, y } = press.current ?? { x: clientX, y: clientY }
        if (Math.hypot(clientX - x, clientY - y) > longPress.pixels) end()
      }}
      onPointerUp={end}
      onPointerCancel={end}
      onPointerLeave={end}
      onContextMenu={(event) => {
        if (press.current !== undefined || wasLong.current) event.preventDefault()
      }}
      onClickCapture={(event) => {
        // What began to mark is no answer.
        if (wasLong.current) event.stopPropagation()
        wasLong.current = false
      }}
    >
      <Picture image={image} shown={512} alt={alt} />
      <Points image={image} points={points} area={area} />
    </span>
  )
}

/** A place of the screen as shares of an element's width and height; undefined outside. */
function shareOf(element: Element, clientX: number, clientY: number): { x: number; y: number } | undefined {
  const { left, top, width, height } = element.getBoundingClientRect()
  const [x, y] = [(clientX - left) / width, (clientY - top) / height]
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : undefined
}

interface MarkableProps {
  readonly image: ImageRef
  readonly name: string
  readonly marking: Marking
}

const step = 0.05
const moves: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-step, 0],
  ArrowRight: [step, 0],
  ArrowUp: [0, -step],
  ArrowDown: [0, step],
}

/** With the keyboard a cross is moved, and Enter marks where it is. */
function Markable({ image, name, marking: { kind, of, change } }: MarkableProps) {
  const { marks: texts } = useTexts().label
  const area = useRef<HTMLSpanElement>(null)
  const [cross, setCross] = useState<{ x: number; y: number }>()
  const marks = of(image.id)
  const add = (place: { x: number; y: number }) => change(image.id, withPoint(marks, { kind, ...place }))
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const move = moves[event.key]
    const isPut = event.key === 'Enter' || event.key === ' '
    // Who clicked goes on with the keys of the page.
    if ((!isPut && move === undefined) || cross === undefined || event.target !== event.currentTarget) return
    event.preventDefault()
    event.stopPropagation()
    if (isPut) add(cross)
    else setCross({ x: clamped(cross.x + move[0]), y: clamped(cross.y + move[1]) })
  }
  return (
    <span
      className="markable"
      role="group"
      tabIndex={0}
      aria-label={texts.area(name, marks.points.length, mostRegions)}
      onKeyDown={onKey}
      onFocus={({ currentTarget, target }) => {
        if (target === currentTarget && currentTarget.matches(':focus-visible')) setCross({ x: 0.5, y: 0.5 })
      }}
      onBlur={() => setCross(undefined)}
      onClick={({ clientX, clientY }) => {
        const place = area.current && shareOf(area.current, clientX, clientY)
        if (place) add(place)
      }}
    >
      <Points image={image} points={[]} area={area}>
        {marks.points.map((point, place) => (
          <button
            key={place}
            type="button"
            className={`point ${point.kind}`}
            style={placeOf(point)}
            aria-label={texts.remove(place + 1, name, point.kind)}
            onClick={(event) => {
              event.stopPropagation()
              change(image.id, withoutPoint(marks, place))
            }}
          />
        ))}
        {cross !== undefined && <span className="cross" style={placeOf(cross)} aria-hidden="true" />}
      </Points>
    </span>
  )
}

const clamped = (share: number) => Math.min(1, Math.max(0, Math.round(share * 100) / 100))
