import { useLayoutEffect, useRef, useState } from 'react'

/** The width of an element, so that a picture in it has text of one size. */
export function useSize<E extends HTMLElement>(usual: number) {
  const ref = useRef<E>(null)
  const [width, setWidth] = useState(usual)
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null) return
    const measure = () => setWidth(Math.max(200, element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return { ref, width }
}
