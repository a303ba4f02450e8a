/** Images that show how a training goes: the same prompts and noise at every look. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { drawImages, type Sampling } from '../images/draw.ts'
import { encodePng } from '../images/png.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { writeFileAtomic, writing, type Run } from '../run.ts'

const sampleCount = 8
/** Beside the folders of the steps: the prompts of their pictures, in the order of the files. */
export const samplePromptsName = 'prompts.json'

/** Draws the first prompts into `samples/<step>/` of the run. */
export async function drawSamples(
  run: Run,
  step: number,
  policy: GenerativeModel,
  texts: readonly string[],
  sampling: Sampling,
  seed: number,
): Promise<void> {
  const shown = texts.slice(0, sampleCount)
  const pictures = drawImages(
    policy,
    shown.map((text, index) => ({ text, seed, index })),
    sampling,
  )
  const folder = run.path(`samples/${String(step).padStart(6, '0')}`)
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  writeFileAtomic(join(folder, '..', samplePromptsName), `${JSON.stringify(shown)}\n`)
  for (const [i, picture] of pictures.entries()) {
    writeFileAtomic(
      join(folder, `${i}-${shown[i].replaceAll(/[^\w]+/g, '-').slice(0, 60)}.png`),
      await encodePng(picture),
    )
  }
}
