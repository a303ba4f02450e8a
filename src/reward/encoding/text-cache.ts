import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { stack } from '../../tensor/create.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/**
 * The same encoder with a memory for texts: training asks for the same few prompts thousands of times. A text is embedded
 * alone, so its embedding does not depend on what else was asked for.
 *
 * @param most texts that are remembered; those that were not used for longest go first
 */
export function rememberTexts<E extends ImageTextEncoder>(encoder: E, most = 4096): E {
  const known = new Map<string, Tensor>()
  const embedded = (text: string): Tensor => {
    const row = known.get(text) ?? unscoped(() => embedAlone(encoder, text))
    known.delete(text)
    known.set(text, row)
    return row
  }
  return {
    ...encoder,
    embedTexts(texts) {
      using scope = tensorScope()
      const rows = scope.keep(stack(texts.map(embedded)))
      for (const [text, row] of known) {
        if (known.size <= most) break
        known.delete(text)
        row.dispose()
      }
      return rows
    },
  }
}

function embedAlone(encoder: ImageTextEncoder, text: string): Tensor {
  using scope = tensorScope()
  return scope.keep(encoder.embedTexts([text]).select(0, 0).clone())
}
