/** Images that show how a training goes: the same prompts and noise at every look, and what is measured on them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { mean } from 'simple-statistics'
import { drawImages } from '../images/draw.ts'
import { encodePng, type Picture } from '../images/png.ts'
import type { GenerativeModel, Sampling } from '../networks/generative-model.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { sampleFolderName, samplePromptsName, samplesName } from '../run-files.ts'
import { writeFileAtomic, writing, type Run } from '../run.ts'

/** Figures of sample images by their names in `metrics.jsonl`. They are recorded and shown; no training reads them. */
export type Probe = (pictures: readonly Picture[], texts: readonly string[]) => Readonly<Record<string, number>>

/**
 * Measures by the judge of the model's world, where it has one, and by a reward, where one is named.
 *
 * @throws {FormatError} the scorer is no reward, or one of another encoder
 */
export async function openProbe(
  name: string | null,
  openReward: (name: string) => Promise<Reward>,
  judge: Probe = () => ({}),
): Promise<Probe> {
  if (name === null) return judge
  const scorer = await openReward(name)
  return (pictures, texts) => ({
    ...judge(pictures, texts),
    alignment_score: mean(scorePictures(scorer, pictures, texts)),
  })
}

export interface SampleOptions {
  readonly sampling: Sampling
  readonly seed: number
  /** How many; one of each prompt. */
  readonly samples: number
  readonly probe: Probe
}

/** At most so many prompts, evenly from all over a list. */
export function fromAllOver(texts: readonly string[], most: number): string[] {
  const count = Math.min(most, texts.length)
  return Array.from({ length: count }, (_, i) => texts[Math.floor((i * texts.length) / count)])
}

/** Draws prompts from all over the list into `samples/<step>/` of the run. @returns what the probe measured */
export async function drawSamples(
  run: Run,
  step: number,
  policy: GenerativeModel,
  texts: readonly string[],
  { sampling, seed, samples, probe }: SampleOptions,
): Promise<Readonly<Record<string, number>>> {
  const shown = fromAllOver(texts, samples)
  const pictures = drawImages(
    policy,
    shown.map((text, index) => ({ text, seed, index })),
    sampling,
  )
  const folder = run.path(join(samplesName, sampleFolderName(step)))
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  writeFileAtomic(join(folder, '..', samplePromptsName), `${JSON.stringify(shown)}\n`)
  for (const [i, picture] of pictures.entries()) {
    writeFileAtomic(
      join(folder, `${i}-${shown[i].replaceAll(/[^\w]+/g, '-').slice(0, 60)}.png`),
      await encodePng(picture),
    )
  }
  return probe(pictures, shown)
}
