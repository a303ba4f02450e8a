/** Which part of an image a pane shows. */

/** An enlargement from the middle of the pane, and then a move by shares of its width and height. */
export interface View {
  readonly scale: number
  readonly x: number
  readonly y: number
}

/** All of it. */
export const fitted: View = { scale: 1, x: 0, y: 0 }
const largest = 32

/** The edge of what is enlarged does not come further in than the pane's. */
function within({ scale, x, y }: View): View {
  const most = (scale - 1) / 2
  const clamp = (move: number) => Math.min(most, Math.max(-most, move))
  return { scale, x: clamp(x), y: clamp(y) }
}

/** @param place stays where it is; from the middle, as shares of the pane */
export function zoomedAt(view: View, factor: number, place: { readonly x: number; readonly y: number }): View {
  const scale = Math.min(largest, Math.max(1, view.scale * factor))
  const ratio = scale / view.scale
  return within({ scale, x: place.x - (place.x - view.x) * ratio, y: place.y - (place.y - view.y) * ratio })
}

/** @param x, y shares of the pane */
export const moved = (view: View, x: number, y: number): View => within({ ...view, x: view.x + x, y: view.y + y })
