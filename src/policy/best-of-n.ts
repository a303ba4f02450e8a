/** `policy best-of-n`: of each n images of a prompt the one that the reward likes best. Nothing is trained. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { imageListName, imageParents, readImages, type StoredImage } from '../images/image-run.ts'
import { modelFields, type Open } from '../images/open-model.ts'
import { readPngFile } from '../images/png-file.ts'
import { readPictures } from '../images/pictures.ts'
import { openReward, rewardFields, scorePictures } from '../reward/open-reward.ts'
import { resumeField, startRun, writeFileAtomic, writing, type Manifest } from '../run.ts'

export const BestOfNConfig = z.strictObject({
  images: z.array(z.string().min(1)).length(1).describe('Run folder of generated images.'),
  ...rewardFields,
  n: z.int().positive().default(4).describe('Images among which the best is taken.'),
  ...modelFields,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write: the chosen images, under their own ids.'),
})
export type BestOfNConfig = z.infer<typeof BestOfNConfig>

/**
 * Chooses the best of each n images of a prompt that follow each other; of equal ones the first.
 *
 * @throws {ConfigError} a prompt whose images cannot be grouped by n
 * @throws {FormatError} a reward of another encoder
 */
export async function chooseBestOfN(config: BestOfNConfig, open: Open): Promise<Manifest> {
  const { out, resume, ...settings } = config
  const parents = { ...imageParents(config.images), reward: config.reward }
  using run = startRun({ folder: out, stage: 'policy best-of-n', config: settings, parents, resume })
  const groups = groupsOf(await readImages(...config.images), config.n)
  const reward = await openReward(config.reward, config, open)
  const images = groups.flat()
  const scores = scorePictures(
    reward,
    await readPictures(images.map(({ file }) => file)),
    images.map(({ record }) => record.text),
  )
  const chosen = groups.map((_, group) => {
    const own = scores.slice(group * config.n, (group + 1) * config.n)
    return group * config.n + own.indexOf(Math.max(...own))
  })
  writing(run.path('images'), () => mkdirSync(run.path('images')))
  for (const place of chosen) {
    const { record, file } = images[place]
    writing(run.path(record.file), () => writeFileSync(run.path(record.file), readPngFile(file)))
  }
  writeFileAtomic(run.path(imageListName), chosen.map((place) => `${JSON.stringify(images[place].record)}\n`).join(''))
  const meanReward = chosen.reduce((sum, place) => sum + scores[place], 0) / chosen.length
  return run.finish({ images: chosen.length, imagesDrawn: images.length, n: config.n, meanReward })
}

/** n consecutive images of one prompt each, in the order of the run. */
function groupsOf(images: readonly StoredImage[], n: number): StoredImage[][] {
  const byPrompt = Map.groupBy(images, ({ record }) => record.text)
  return [...byPrompt].flatMap(([text, own]) => {
    if (own.length % n !== 0) {
      throw new ConfigError({
        where: '--n',
        expected: `a divisor of the number of images of "${text}" (${own.length})`,
        received: String(n),
        remedy: 'draw more images per prompt, or choose another n',
      })
    }
    return Array.from({ length: own.length / n }, (_, group) => own.slice(group * n, (group + 1) * n))
  })
}
