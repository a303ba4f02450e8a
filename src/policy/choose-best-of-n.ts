/** `policy best-of-n`: of each n images of a prompt the one that the reward likes best. Nothing is trained. */
import { mkdirSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { imageListName, imageParents, readImages, type ImageOfRun } from '../images/image-run.ts'
import { modelFields, type Open } from '../images/open-model.ts'
import { readPngFile } from '../images/png-file.ts'
import { readPictures } from '../images/pictures.ts'
import { centredByPrompt, comparableOf } from '../reward/across-prompts.ts'
import type { Reward } from '../reward/reward.ts'
import { givenBaseImages } from '../reward/composition/base-images.ts'
import { rewardResults, rewardInRun, rewardParents } from '../reward/composition/reward-in-run.ts'
import { rewardFields, scorePictures } from '../reward/open-reward.ts'
import { writeFiles } from '../files.ts'
import { sha256 } from '../sha256.ts'
import { tensor } from '../tensor/create.ts'
import { alone, type Group } from '../tensor/group.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { makeParts } from '../tensor/shared-parts.ts'
import { resumeField, startRun, writeFileAtomic, writing, type Manifest, type Run } from '../run.ts'

/** Settings of `policy best-of-n`. */
export const BestOfNConfig = z.strictObject({
  images: z.array(z.string().min(1)).length(1).describe('Run folder of generated images.'),
  ...rewardFields,
  n: z.int().positive().max(100_000).default(4).describe('Images among which the best is taken.'),
  ...modelFields,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write: the chosen images, under their own ids.'),
})
export type BestOfNConfig = z.infer<typeof BestOfNConfig>

/**
 * Chooses the best of each n images of a prompt that follow each other; of equal ones the first.
 *
 * @param group its processes score a part each at a time, and the first one writes: the choice is the same
 * @throws {ConfigError} a prompt whose images cannot be grouped by n
 * @throws {FormatError} a reward of another encoder
 * @throws {StoppedError} a process of the group was asked to end
 */
export async function chooseBestOfN(config: BestOfNConfig, open: Open, group: Group = alone): Promise<Manifest> {
  const { out, resume, ...settings } = config
  const parents = { ...imageParents(config.images), ...rewardParents(config.reward) }
  using run = startRun({ folder: out, stage: 'policy best-of-n', config: settings, parents, resume })
  const groups = groupsOf(await readImages(...config.images), config.n)
  const images = groups.flat()
  const base = () => givenBaseImages(images.map(({ record: { text }, file }) => ({ text, file })))
  const opened = await rewardInRun(config.reward, 'reward', { run, config, open, base, group })
  const { reward } = opened
  run.dependsOn({
    images: sha256(...images.map(({ record }) => record.sha256)),
    reward: reward.sha256,
  })
  const parts = new PartFiles(run.path('scores'), 'best-of-n', () => run.keep())
  const scores = await scoresOf(images, reward, parts, group)
  const chosen = groups.map((_, group) => {
    const own = scores.slice(group * config.n, (group + 1) * config.n)
    return group * config.n + own.indexOf(Math.max(...own))
  })
  if (group.rank === 0) {
    await writeChosen(
      run,
      chosen.map((place) => images[place]),
    )
    parts.remove()
  }
  const ofChosen = (all: readonly number[]) => chosen.reduce((sum, place) => sum + all[place], 0) / chosen.length
  const texts = images.map(({ record }) => record.text)
  return run.finish({
    images: chosen.length,
    imagesDrawn: images.length,
    n: config.n,
    meanReward: ofChosen(scores),
    // How much better they are than their prompt's images on the whole.
    ...(reward.isWithinPrompt && { meanRewardCentred: ofChosen(centredByPrompt(scores, texts)) }),
    rewardComparable: comparableOf(reward),
    ...rewardResults({ reward: opened }),
  })
}

const imagesAPart = 256

async function writeChosen(run: Run, chosen: readonly ImageOfRun[]): Promise<void> {
  writing(run.path('images'), () => mkdirSync(run.path('images'), { recursive: true }))
  for (let from = 0; from < chosen.length; from += imagesAPart) {
    const some = chosen.slice(from, from + imagesAPart)
    await writeFiles(new Map(some.map(({ record, file }) => [run.path(record.file), readPngFile(file)])))
  }
  writeFileAtomic(run.path(imageListName), chosen.map(({ record }) => `${JSON.stringify(record)}\n`).join(''))
}

/** Scores of images; those that an earlier process has given are read. */
async function scoresOf(
  images: readonly ImageOfRun[],
  reward: Reward,
  files: PartFiles,
  group: Group,
): Promise<number[]> {
  const scores: number[] = []
  await makeParts(
    Array.from({ length: Math.ceil(images.length / imagesAPart) }, (_, part) => part * imagesAPart),
    {
      ...{ group, files, label: 'scores' },
      async make(place) {
        const some = images.slice(place, place + imagesAPart)
        const pictures = await readPictures(some.map(({ file }) => file))
        const own = scorePictures(
          reward,
          pictures,
          some.map(({ record }) => record.text),
        )
        return new Map([['scores', tensor(Float64Array.from(own))]])
      },
      take(place, part) {
        for (const [i, score] of part.get('scores')!.toArray().entries()) scores[place + i] = score
      },
    },
  )
  return scores
}

/** n consecutive images of one prompt each, in the order of the run. */
function groupsOf(images: readonly ImageOfRun[], n: number): ImageOfRun[][] {
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
