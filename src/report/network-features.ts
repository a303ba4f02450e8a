/** Features by a network of their own, in batches of which none is made twice: a report that goes on finds them on the disk. */
import { join } from 'node:path'
import { pixelsOf, type Picture } from '../images/png.ts'
import type { FeatureSpace } from '../networks/features/feature-space.ts'
import { sha256 } from '../sha256.ts'
import { cat } from '../tensor/create.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Encode } from './evaluate.ts'

/** Images at once: an Inception-v3 takes about 20 MB for each. */
const batch = 16

/**
 * @param folder  where batches are kept, by a hash of the network and of the images
 * @param onCount hears of each batch, made or found
 */
export function networkEncoder(
  { sha256: weights, features }: FeatureSpace,
  folder: string,
  onCount: (images: number) => void = () => undefined,
): Encode {
  return (pictures) => {
    using scope = tensorScope()
    const key = sha256(`${weights} ${batch}\n`, ...pictures.flatMap(keyOf))
    const parts = new PartFiles(join(folder, key.slice(0, 16)), key)
    const rows = Array.from({ length: Math.ceil(pictures.length / batch) }, (_, i) => {
      using inner = tensorScope()
      const own = pictures.slice(i * batch, (i + 1) * batch)
      const made = parts.at(i * batch, () => new Map([['rows', features(pixelsOf(own)).to('cpu')]]))
      onCount(own.length)
      return inner.keep(made.get('rows')!)
    })
    return scope.keep(cat(rows).to('float64'))
  }
}

const keyOf = ({ width, height, bytes }: Picture) => [`${width} ${height}\n`, bytes]
