/** Probe images: some of a run's prompts, drawn from the same noise at every look, and what is measured on them. */
import { drawImages } from '../../images/draw.ts'
import type { GenerativeModel, Sampling } from '../../networks/generative-model.ts'
import { seedOf } from '../../random.ts'
import { scorePictures } from '../../reward/open-reward.ts'
import type { Reward } from '../../reward/reward.ts'
import { policyStreams } from '../../streams.ts'
import { alone, gatherValues, shareOf, type Group } from '../../tensor/group.ts'
import { fromAllOver } from '../sample-images.ts'
import { heldOutName, trainedName } from './alarm-record.ts'
import type { ByPrompt } from './spread.ts'
import { statisticsOf } from './statistics.ts'

/** By the names of statistics. */
export type ProbeValues = Readonly<Record<string, ByPrompt>>

interface ProbeSettings {
  readonly texts: readonly string[]
  readonly sampling: Sampling
  /** Of the run. */
  readonly seed: number
  /** Prompts at most, and images of all of them at least. */
  readonly prompts: number
  readonly images: number
  readonly reward?: Reward
  readonly heldOutReward?: Reward
  /** Images drawn at once. */
  readonly batchSize: number
  /** Its processes share the drawing. */
  readonly group?: Group
}

export class Probes {
  /** Images of a prompt at a look; even, for pairs. */
  readonly perPrompt: number
  readonly #settings: ProbeSettings
  readonly #texts: readonly string[]

  constructor(settings: ProbeSettings) {
    this.#settings = settings
    this.#texts = fromAllOver(settings.texts, settings.prompts)
    this.perPrompt = 2 * Math.ceil(settings.images / this.#texts.length / 2)
  }

  /**
   * Draws and measures; all processes of the group have all values. The first images of each prompt are the same whatever
   * their number.
   *
   * @param perPrompt an even number
   * @throws {DivergenceError} a state or a score is not finite
   */
  measure(policy: GenerativeModel, perPrompt = this.perPrompt): ProbeValues {
    const { seed, sampling, batchSize, reward, heldOutReward, group = alone } = this.#settings
    const own = shareOf(group, this.#texts.length)
    const places = Array.from({ length: own.to - own.from }, (_, i) => own.from + i)
    const requests = places.flatMap((prompt) =>
      Array.from({ length: perPrompt }, (_, index) => ({
        text: this.#texts[prompt],
        seed: seedOf(...policyStreams.probes(seed, prompt)),
        index,
      })),
    )
    const pictures = drawImages(policy, requests, sampling, { batchSize })
    const texts = requests.map(({ text }) => text)
    const scores = (of: Reward | undefined, name: string) => of && { [name]: scorePictures(of, pictures, texts) }
    const values =
      places.length === 0
        ? {}
        : {
            ...scores(reward, trainedName),
            ...scores(heldOutReward, heldOutName),
            ...statisticsOf(pictures),
          }
    const parts = gatherValues(group, byPrompt(values, places.length))
    const names = Object.keys(parts.find((part) => Object.keys(part).length > 0)!)
    return Object.fromEntries(names.map((name) => [name, parts.flatMap((part) => part[name] ?? [])]))
  }
}

/** Lists of all images as a list a prompt. */
function byPrompt(values: Readonly<Record<string, readonly number[]>>, prompts: number): ProbeValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => {
      const each = all.length / prompts
      return [name, Array.from({ length: prompts }, (_, i) => all.slice(i * each, (i + 1) * each))]
    }),
  )
}
