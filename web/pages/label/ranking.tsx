/** All images of a prompt into slots, best first; images that are alike share a slot. */
import { useState } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { Icon } from '../../components/icon.tsx'
import { Picture } from '../../components/picture.tsx'
import { usePictures } from '../../picture-loads.ts'
import { useTexts } from '../../texts/texts.ts'
import { contradiction } from './agreement-of-ranks.ts'
import { useKeys } from './keys.ts'
import { NotLoaded } from './not-loaded.tsx'

interface RankingProps {
  readonly images: readonly ImageRef[]
  readonly overall: readonly number[]
  /** Of each image, 1 is best. */
  readonly slots: readonly number[]
  readonly chosen: number
  readonly change: (slots: readonly number[], chosen: number) => void
  readonly submit: (slots: readonly number[]) => void
  readonly skip: () => void
}

export function Ranking({ images, overall, slots, chosen, change, submit, skip }: RankingProps) {
  const { label } = useTexts()
  const { ranking } = label
  const [dragged, setDragged] = useState<number>()
  const wrong = contradiction(overall, slots)
  const isSeen = usePictures(images, 128) === 'shown'
  const put = (place: number, slot: number) => {
    if (slot >= 1 && slot <= images.length) change(slots.with(place, slot), place)
  }
  const send = () => {
    if (isSeen && wrong === undefined) submit(slots)
  }
  const choose = (place: number) => change(slots, (place + images.length) % images.length)
  useKeys({
    arrowleft: () => choose(chosen - 1),
    arrowright: () => choose(chosen + 1),
    arrowup: () => put(chosen, slots[chosen] - 1),
    arrowdown: () => put(chosen, slots[chosen] + 1),
    ...Object.fromEntries(images.map((_, i) => [String(i + 1), () => put(chosen, i + 1)])),
    enter: send,
    ' ': send,
    s: skip,
  })
  return (
    <div className="stack tight">
      <p>
        {ranking.how} <span className="soft">{ranking.alike}</span>
      </p>
      <ol className="slots">
        {images.map((_, i) => {
          const slot = i + 1
          return (
            <li
              key={slot}
              className="slot"
              onDragOver={(event) => event.preventDefault()}
              onDrop={() => {
                if (dragged !== undefined) put(dragged, slot)
                setDragged(undefined)
              }}
            >
              <button
                type="button"
                className="slot-name"
                aria-label={ranking.put(chosen + 1, slot)}
                onClick={() => put(chosen, slot)}
              >
                {slot}
                <small>{slot === 1 ? ranking.best : slot === images.length ? ranking.worst : ''}</small>
              </button>
              <div className="slot-images">
                {images.map(
                  (image, place) =>
                    slots[place] === slot && (
                      <button
                        key={image.id}
                        type="button"
                        className="slot-image"
                        aria-pressed={place === chosen}
                        aria-label={ranking.inSlot(place + 1, overall[place], slot)}
                        draggable
                        onDragStart={(event) => {
                          event.dataTransfer.setData('text/plain', String(place))
                          setDragged(place)
                        }}
                        onClick={() => change(slots, place)}
                      >
                        <Picture image={image} shown={128} alt="" />
                        <small>{ranking.numberRated(place + 1, overall[place])}</small>
                      </button>
                    ),
                )}
              </div>
            </li>
          )
        })}
      </ol>
      {wrong !== undefined && (
        <p className="notice warn" role="status">
          {ranking.contradiction(wrong[0] + 1, overall[wrong[0]], wrong[1] + 1, overall[wrong[1]])}
        </p>
      )}
      {!isSeen && <NotLoaded says={label.missing.some} images={images} shown={128} skip={skip} />}
      <div className="row answer-bar">
        <button type="button" className="button primary" disabled={!isSeen || wrong !== undefined} onClick={send}>
          {label.done} <Icon name="arrow" size={18} />
        </button>
        <button type="button" className="button" onClick={skip}>
          {ranking.skip} <kbd>S</kbd>
        </button>
        <span className="soft small keys-line">
          <kbd>←</kbd> <kbd>→</kbd> {ranking.choose}, <kbd>↑</kbd> <kbd>↓</kbd> {ranking.move},{' '}
          <kbd>{label.keyNames.enter}</kbd> {ranking.done}
        </span>
      </div>
    </div>
  )
}
