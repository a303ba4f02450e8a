import { useEffect } from 'react'
import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import { isSmall, isWhole, reloadPicture, tellPicture, usePicture, type PictureSize } from '../picture-loads.ts'
import { useTexts } from '../texts/texts.ts'
import { Icon } from './icon.tsx'

/** An image of the studio, or that it did not load. */
export function Picture({ image, shown, alt }: { image: ImageRef; shown: PictureSize; alt: string }) {
  const { pictures } = useTexts()
  const { url, address, status } = usePicture(image, shown)
  useEffect(() => {
    // What failed ahead of its turn, while the server was away perhaps, is tried once more when it is looked at.
    if (status === 'broken') reloadPicture(image, shown)
  }, [url])
  const tell = (next: 'shown' | 'broken') => {
    if (next !== status) tellPicture(url, { status: next })
  }
  if (status === 'broken') {
    return (
      <span className="picture not-loaded" role="img" aria-label={pictures.thisDidNotLoad(alt || pictures.aPicture)}>
        <Icon name="image" size={28} />
        <span>{pictures.didNotLoad}</span>
      </span>
    )
  }
  return (
    <img
      key={address}
      className={isSmall(image) ? 'picture pixelated' : 'picture'}
      src={address}
      width={image.width}
      height={image.height}
      alt={alt}
      decoding="async"
      draggable={false}
      onLoad={({ currentTarget }) => void isWhole(currentTarget).then((whole) => tell(whole ? 'shown' : 'broken'))}
      onError={() => tell('broken')}
    />
  )
}
