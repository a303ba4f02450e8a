/** Which stages fit into the memory that is free beside the model, in words. */
import { shownBytes } from '../images/at-once.ts'
import type { ImageSize } from '../networks/generative-model.ts'
import { fail, notTried, pass, type Finding } from './finding.ts'
import type { ModelTrial } from './model.ts'

export function memoryFinding({ memory, fits, imageSize, device }: ModelTrial): Finding {
  if (memory === undefined) {
    return notTried('memory', `${device} does not tell how much of its memory is free`, 'look at it with its own tools')
  }
  const free = `${shownBytes(memory.free)} free beside the model, of the ${shownBytes(memory.total)} of ${memory.limit}`
  if (fits.length === 0) {
    const said = `${free}; what the stages take of this model is not known before they run`
    return notTried('memory', said, 'begin with a small run of each')
  }
  const bySize = [...Map.groupBy(fits, ({ size }) => sizeText(size))]
  const more = bySize.flatMap(([size, of]) => of.map((fit) => `${size}: ${inWords(fit)}`))
  const tooLarge = fits.filter(({ size, isTooLarge }) => isTooLarge && sizeText(size) === sizeText(imageSize))
  if (tooLarge.length === 0) return { ...pass('memory', free), more }
  const smaller = bySize.find(([, of]) => of.every(({ isTooLarge }) => !isTooLarge))?.[0]
  const resolution = smaller === undefined ? 'a smaller --resolution' : `--resolution ${smaller.replace(' × ', 'x')}`
  const said = `${free}, which is too little for ${tooLarge.map(({ stage }) => `\`${stage}\``).join(', ')}`
  return { ...fail('memory', said, `${resolution}, --mixed-precision bf16, or a device with more memory`), more }
}

/** `policy dpok takes 10.9 GB with --batch-size 8 --transitions-at-once 2` */
const inWords = ({ stage, flags, bytes, isTooLarge }: ModelTrial['fits'][number]) =>
  isTooLarge
    ? `${stage} would take ${shownBytes(bytes)} for one at a time`
    : `${stage} takes ${shownBytes(bytes)} with ${flags.join(' ')}`

const sizeText = ({ width, height }: ImageSize) => `${width} × ${height}`
