/** Images by which the parts of a composition are brought to one scale: of the base model, or those that a stage was given. */
import { drawImages } from '../../images/draw.ts'
import type { OpenModel } from '../../images/open-model.ts'
import { readPictures } from '../../images/pictures.ts'
import type { Picture } from '../../images/png.ts'
import type { Sampling } from '../../networks/generative-model.ts'
import { seedOf } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'

export interface BaseImages {
  /** As messages say it: `64 images that the base model drew`. */
  readonly words: string
  /** The prompt of each. */
  readonly texts: readonly string[]
  /** Some of them in a row. */
  pictures(from: number, to: number): Promise<readonly Picture[]>
}

/** Few prompts with several images each: what tells images of one prompt apart is measured as well. */
const [mostPrompts, leastImages] = [16, 64]
const mostGiven = 256

/** Drawn by the model as it was pre-trained, always from the same noise. @param all the prompts of the stage */
export function drawnBaseImages({ model }: OpenModel, all: readonly string[], sampling: Sampling): BaseImages {
  const prompts = evenly([...new Set(all)], mostPrompts)
  const each = Math.ceil(leastImages / prompts.length)
  const texts = prompts.flatMap((text) => new Array<string>(each).fill(text))
  const seed = seedOf(...rewardStreams.baseImages())
  return {
    words: `${texts.length} images of ${prompts.length} prompts that the base model drew`,
    texts,
    pictures: (from, to) =>
      Promise.resolve(
        drawImages(
          model,
          texts.slice(from, to).map((text, i) => ({ text, seed, index: from + i })),
          sampling,
          { batchSize: model.defaults.batchSize },
        ),
      ),
  }
}

/** Some of the images that a stage was given, all of a prompt or none. */
export function givenBaseImages(images: readonly { readonly text: string; readonly file: string }[]): BaseImages {
  const byPrompt = [...Map.groupBy(images, ({ text }) => text).values()]
  const prompts = Math.max(1, Math.floor((mostGiven * byPrompt.length) / images.length))
  const some = evenly(byPrompt, prompts)
    .flat()
    .slice(0, 2 * mostGiven)
  return {
    words: `${some.length} of the images that it was given`,
    texts: some.map(({ text }) => text),
    pictures: (from, to) => readPictures(some.slice(from, to).map(({ file }) => file)),
  }
}

/** At most so many, evenly from all over a list. */
function evenly<T>(all: readonly T[], most: number): T[] {
  const count = Math.min(most, all.length)
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)])
}
