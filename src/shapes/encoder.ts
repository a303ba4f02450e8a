/** The embedded CLIP-like encoder behind the interface that rewards use. */
import { embeddingWidth, imageEmbedding, textEmbedding } from '../networks/embedded/clip.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import type { Weights } from '../networks/weights.ts'
import { textSize, tokenRows } from './model.ts'

export function shapesEncoder(weights: Weights, sha256: string): ImageTextEncoder {
  return {
    name: 'shapes-clip',
    sha256,
    width: embeddingWidth,
    device: 'cpu',
    embedImages: (pixels) => imageEmbedding(weights, pixels.to('cpu')),
    embedTexts: (texts) => textEmbedding(weights, tokenRows(texts), textSize),
  }
}
