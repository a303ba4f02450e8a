/** Points of an image, over the picture of it. */
import type { ReactNode, Ref } from 'react'
import type { Region } from '../../src/records.ts'
import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import '../styles/marks.css'

interface PointsProps {
  readonly image: Pick<ImageRef, 'width' | 'height'>
  readonly points: readonly Pick<Region, 'kind' | 'x' | 'y'>[]
  readonly area?: Ref<HTMLSpanElement>
  readonly children?: ReactNode
}

/** Lies over a picture in the same box, which may leave free room at two of its sides. */
export const Points = ({ image: { width, height }, points, area, children }: PointsProps) => (
  <span className="points">
    <span ref={area} className="points-area" style={{ '--ratio': width / height } as React.CSSProperties}>
      {points.map((point, place) => (
        <span key={place} className={`point ${point.kind}`} style={placeOf(point)} aria-hidden="true" />
      ))}
      {children}
    </span>
  </span>
)

export const placeOf = ({ x, y }: Pick<Region, 'x' | 'y'>) => ({ left: `${x * 100}%`, top: `${y * 100}%` })
