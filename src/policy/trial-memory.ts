/** What drawing and a step of a training take in memory, by trying both on hollow networks. */
import type { AtOnce } from '../images/at-once.ts'
import { mostDrawn } from '../images/drawing-memory.ts'
import { mostHeld } from '../tensor/memory.ts'
import { below } from '../tensor/training-state.ts'
import type { HollowGiven } from './algorithm.ts'
import { drawFreshImages } from './fresh-images.ts'
import type { Trainer } from './training-run.ts'

/** Bytes that are held at the most beside the model in the first step of a hollow trainer, with its optimiser's moments. */
export const stepBytes = (begin: () => Trainer): number =>
  mostHeld(() => {
    const trainer = begin()
    trainer.step()
    for (const moment of below('optimiser', trainer.state().tensors).values()) moment.dispose()
  })

type Drawn = HollowGiven<'prompts' | 'reward', { readonly imagesDrawn: number; readonly rolloutsPerIteration: number }>

/**
 * How many fresh images a method draws at once.
 *
 * @param given by a setting, null where it was left open
 * @param kept  bytes that lie beside the drawing
 */
export function freshAtOnce(
  { model, trainable, reward, sampler, guidance, settings, group }: Omit<Drawn, 'texts'>,
  field: string,
  given: number | null,
  kept = 0,
): AtOnce {
  const usual = model.defaults.batchSize
  const policy = model.with(trainable.change)
  const drawing = (batchSize: number) =>
    drawFreshImages(policy, reward, new Array<string>(batchSize).fill(''), () => [0], { sampler, guidance, batchSize })
  const images = Math.min(settings.rolloutsPerIteration, settings.imagesDrawn)
  return {
    field,
    what: 'images drawn',
    given: given ?? undefined,
    usual,
    most: Math.max(usual, mostDrawn),
    all: Math.ceil(images / (group?.size ?? 1)),
    bytes: (count) => kept + mostHeld(() => drawing(count)),
  }
}
