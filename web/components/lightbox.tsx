/** Images over the whole window, beside each other where there are several: they show the same part. */
import { useEffect, useState, type ReactNode } from 'react'
import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import { useTexts } from '../texts/texts.ts'
import { Comments, useComments } from './comments.tsx'
import { Icon } from './icon.tsx'
import { Tabs } from './tabs.tsx'
import { useModal } from './use-modal.ts'
import { ZoomPane } from './zoom-pane.tsx'
import { fitted, moved, zoomedAt, type View } from './zoom-view.ts'

export interface ShownImage {
  readonly image: ImageRef
  readonly alt: string
}

export interface LightboxProps {
  /** Of the dialog, for those who do not see it. */
  readonly title: string
  readonly images: readonly ShownImage[]
  readonly close: () => void
  /** What keys do here beside those of the zoom, by `key` in lower case; they come first. */
  readonly keys?: Readonly<Record<string, (() => void) | undefined>>
  /** Beside the pictures. */
  readonly side?: ReactNode
  /** Below them. */
  readonly foot?: ReactNode
  /** Whether the person can say something of the images here; the own comments are shown. */
  readonly hasComments?: boolean
}

const step = 1.5
const [here, push] = [{ x: 0, y: 0 }, 0.12]
const zoomKeys: Readonly<Record<string, (view: View) => View>> = {
  '+': (view) => zoomedAt(view, step, here),
  '=': (view) => zoomedAt(view, step, here),
  '-': (view) => zoomedAt(view, 1 / step, here),
  '0': () => fitted,
}
const moveKeys: Readonly<Record<string, (view: View) => View>> = {
  arrowleft: (view) => moved(view, push, 0),
  arrowright: (view) => moved(view, -push, 0),
  arrowup: (view) => moved(view, 0, push),
  arrowdown: (view) => moved(view, 0, -push),
}

export function Lightbox({ title, images, close, keys = {}, side, foot, hasComments = true }: LightboxProps) {
  const { frame, pictures } = useTexts()
  const dialog = useModal(close)
  // No button has the focus, so that every key is the dialog's.
  useEffect(() => dialog.ref.current?.focus(), [dialog.ref])
  const [view, setView] = useState<View>(fitted)
  const shown = images.map(({ image }) => image.id).join()
  useEffect(() => setView(fitted), [shown])
  /** Undefined: nobody has said; then they are shown where there are some. */
  const [wantsComments, setWantsComments] = useState<boolean>()
  const [commented, setCommented] = useState<string>()
  const subject = images.find(({ image }) => image.id === commented) ?? images.at(0)
  const comments = useComments(hasComments ? subject?.image.id : undefined, 'me')
  const said = comments.value?.comments.length ?? 0
  const isCommenting = hasComments && (wantsComments ?? said > 0)
  return (
    <dialog
      {...dialog}
      className="lightbox"
      tabIndex={-1}
      aria-label={title}
      onKeyDown={(event) => {
        // The page below would take the key as one of its own once the dialog is gone.
        event.stopPropagation()
        if (event.altKey || event.ctrlKey || event.metaKey) return
        if (event.target instanceof HTMLTextAreaElement) return
        const isSpace = event.key === ' '
        const onControl =
          event.target instanceof HTMLElement && event.target.closest('button, a, input, select, summary')
        if (onControl && (isSpace || event.key === 'Enter')) return
        const key = event.key.toLowerCase()
        const zoom = zoomKeys[key] ?? (view.scale > 1 ? moveKeys[key] : undefined)
        const work = zoom !== undefined ? () => setView(zoom) : (keys[key] ?? (isSpace ? close : undefined))
        if (work === undefined) return
        event.preventDefault()
        work()
      }}
    >
      <div className="lightbox-main">
        <div className="lightbox-tools">
          <span className="lightbox-title" dir="auto" title={title}>
            {title}
          </span>
          {hasComments && images.length > 0 && (
            <button
              type="button"
              className="button icon"
              title={pictures.comments}
              aria-expanded={isCommenting}
              onClick={() => setWantsComments(!isCommenting)}
            >
              <Icon name="prompt" />
              <span className="hidden">{pictures.comments}</span>
              {said > 0 && <span className="small number">{said}</span>}
            </button>
          )}
          <button
            type="button"
            className="button icon"
            aria-label={pictures.smaller}
            disabled={view.scale <= 1}
            onClick={() => setView(zoomKeys['-'])}
          >
            −
          </button>
          <button
            type="button"
            className="button icon"
            aria-label={pictures.larger}
            onClick={() => setView(zoomKeys['+'])}
          >
            +
          </button>
          <button type="button" className="button icon" aria-label={frame.close} onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        <div className="lightbox-panes" data-count={images.length}>
          {images.map(({ image, alt }) => (
            <ZoomPane key={image.id} image={image} alt={alt} view={view} setView={setView} />
          ))}
        </div>
        {isCommenting && subject !== undefined && (
          <div className="lightbox-comments">
            {images.length > 1 && (
              <Tabs
                label={pictures.comments}
                value={subject.image.id}
                options={images.map(({ image, alt }, place) => ({
                  value: image.id,
                  label: alt || `${pictures.image} ${place + 1}`,
                }))}
                choose={setCommented}
              />
            )}
            <Comments key={subject.image.id} image={subject.image.id} from="me" remote={comments} />
          </div>
        )}
        {foot !== undefined && <div className="lightbox-foot">{foot}</div>}
      </div>
      {side !== undefined && <aside className="lightbox-side">{side}</aside>}
    </dialog>
  )
}
