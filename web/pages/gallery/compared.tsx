/** Chosen images beside each other, enlarged together; of two of one prompt one can be called better. */
import { useRef } from 'react'
import type { GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { timeNow } from '../../clock.ts'
import { Lightbox } from '../../components/lightbox.tsx'
import { newId } from '../../new-id.ts'
import { postJudgment } from '../../outbox.ts'
import { useTexts } from '../../texts/texts.ts'

export function Compared({ images, close }: { images: readonly GalleryImage[]; close: () => void }) {
  const { gallery, label } = useTexts()
  const since = useRef(performance.now())
  const shown = images.flatMap(({ image, prompt }) => (image === null ? [] : [{ image, alt: prompt }]))
  const isPair = shown.length === 2 && images.length === 2 && images[0].prompt === images[1].prompt
  const answer = (value: 'first' | 'second' | 'tie') => () => {
    const durationMs = Math.round(performance.now() - since.current)
    const ids = shown.map(({ image }) => image.id)
    postJudgment({ id: newId(), kind: 'pair', images: ids, answer: value, at: timeNow(), durationMs })
    close()
  }
  return (
    <Lightbox
      title={isPair ? images[0].prompt : gallery.besideEachOther}
      images={shown}
      close={close}
      keys={isPair ? { '1': answer('first'), '2': answer('second'), t: answer('tie') } : {}}
      foot={
        isPair && (
          <>
            <button type="button" className="button" onClick={answer('first')}>
              {gallery.firstIsBetter} <kbd>1</kbd>
            </button>
            <button type="button" className="button" onClick={answer('tie')}>
              {label.tie} <kbd>T</kbd>
            </button>
            <button type="button" className="button" onClick={answer('second')}>
              {gallery.secondIsBetter} <kbd>2</kbd>
            </button>
          </>
        )
      }
    />
  )
}
