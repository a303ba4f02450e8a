/**
 * Rounds of images that a training is fitted to: first those that it was given, then those that its policy draws of their
 * prompts, round by round.
 */
import { z } from 'zod'
import { optionalCount } from '../config-fields.ts'
import { Disposables } from '../disposables.ts'
import { ConfigError } from '../errors.ts'
import { namedStates } from '../images/named-states.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import { mapStates, policyOf } from '../networks/generative-model.ts'
import { random } from '../random.ts'
import type { Reward } from '../reward/reward.ts'
import { policyStreams } from '../streams.ts'
import { tensor, zeros } from '../tensor/create.ts'
import { alone, type Group } from '../tensor/group.ts'
import { copyState } from '../tensor/optimise.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, under } from '../tensor/training-state.ts'
import type { ScoredImage } from './algorithm.ts'
import { drawFreshImages } from './fresh-images.ts'
import { drawPrompts, expectWholeGroups, promptGroupFields } from './prompt-groups.ts'
import type { RolloutSettings } from './rollout.ts'
import { TeachingRounds } from './teaching-rounds.ts'

/** Config fields of a method that is fitted to images, and may draw more of them while it trains. */
export const imageRoundFields = {
  imagesDrawn: z
    .int()
    .nonnegative()
    .max(100_000_000)
    .default(0)
    .describe(
      'Images that it draws itself, of the prompts of those given; 0 learns from the given ones alone. With more the updates are divided among rounds: the first learns from the given images, each further one from new images of the policy of that moment.',
    ),
  rolloutsPerIteration: z
    .int()
    .positive()
    .max(16_384)
    .default(96)
    .describe('Images drawn for a round, with --images-drawn. They take the place of those of the round before.'),
  ...promptGroupFields,
  drawnAtOnce: optionalCount(4096).describe(
    'Images drawn at once, with --images-drawn: on a GPU as many as its free memory holds, else the model’s own number without it. Changes the memory that it takes and the result by rounding.',
  ),
}
type ImageRoundSettings = z.infer<z.ZodObject<typeof imageRoundFields>> & { readonly updates: number }

interface Given {
  readonly images: readonly ScoredImage[]
  /** [N, …] each, on the CPU. */
  readonly states: CleanStates
  /** That draws. */
  readonly policy: GenerativeModel
  readonly reward: Reward
  readonly sampler: RolloutSettings['sampler']
  readonly guidance: number
  readonly seed: number
  readonly settings: ImageRoundSettings
  readonly group?: Group
}

/** Of a checkpoint: states and scores of the images of a round that were drawn. */
const prefix = 'round'

export class ImageRounds {
  /** The given images are the first. */
  readonly count: number
  readonly #given: Given
  readonly #prompts: readonly string[]
  readonly #rewards: TeachingRounds
  /** Of this round, where they were drawn: unscoped tensors. */
  #drawn: { readonly states: CleanStates; readonly scores: Tensor } | undefined
  #round = 0
  #images: readonly ScoredImage[]

  /** @throws {ConfigError} images that are no whole groups of a prompt, or rounds without an update */
  constructor(given: Given) {
    const { images, settings } = given
    this.#given = given
    this.#prompts = [...new Set(images.map(({ text }) => text))]
    this.#rewards = new TeachingRounds(given.reward.name)
    this.#images = images
    this.count = 1 + Math.ceil(settings.imagesDrawn / settings.rolloutsPerIteration)
    if (this.count === 1) return
    expectWholeGroups(settings)
    if (settings.updates >= this.count) return
    throw new ConfigError({
      where: '--updates',
      expected: `at least ${this.count}, one a round`,
      received: String(settings.updates),
      remedy: 'take more updates, or draw fewer images or more of them a round',
    })
  }

  /** Of the present round. */
  get images(): readonly ScoredImage[] {
    return this.#images
  }

  /** Of these, [N, …] each, on the CPU. */
  get states(): CleanStates {
    return this.#drawn?.states ?? this.#given.states
  }

  /** Images that have been learned from up to now, those given included. */
  get drawn(): number {
    const { images, settings } = this.#given
    return images.length + Math.min(settings.imagesDrawn, this.#round * settings.rolloutsPerIteration)
  }

  /** Rounds up to now in which all new images had one reward. */
  get constant(): number {
    return this.#rewards.constant
  }

  /**
   * Goes to the round of an update, from 0.
   *
   * @returns whether it has just begun: then its images are drawn
   * @throws {DivergenceError | RewardError} what is drawn, or its rewards, are not finite, or teach nothing for several rounds
   */
  goTo(update: number): boolean {
    const round = this.#roundOf(update)
    if (round === this.#round) return false
    using _scope = tensorScope()
    const { policy, reward, sampler, guidance, seed, settings, group = alone } = this.#given
    const batchSize = settings.drawnAtOnce ?? policy.defaults.batchSize
    const noise = (i: number) => policyStreams.rollout(seed, round, i)
    const how = { sampler, guidance, batchSize, group }
    const { texts, states, rewards } = drawFreshImages(policy, reward, this.#textsOf(round), noise, how)
    this.#rewards.expect(rewards, round)
    const { states: room, scores } = this.#makeRoom(round)
    const all = mapStates(states, (own) => group.gather(own))
    namedStates(room).forEach(([, one], place) => one.copy_(namedStates(all)[place][1]))
    scores.copy_(tensor(Float64Array.from(rewards)))
    this.#images = texts.map((text, i) => ({ text, score: rewards[i] }))
    return true
  }

  #roundOf(update: number): number {
    return Math.floor((update * this.count) / this.#given.settings.updates)
  }

  #textsOf(round: number): string[] {
    const { settings, seed } = this.#given
    const { imagesDrawn, rolloutsPerIteration, groupSize } = settings
    const count = Math.min(rolloutsPerIteration, imagesDrawn - (round - 1) * rolloutsPerIteration)
    return drawPrompts(this.#prompts, count, random(...policyStreams.roundPrompts(seed, round)), groupSize)
  }

  /** For the images of a round, in the place of those of the one before. */
  #makeRoom(round: number) {
    const { policy } = this.#given
    const { stages, policyStage } = policy
    using before = new Disposables()
    for (const one of this.#tensors().values()) before.use(one)
    const count = this.#textsOf(round).length
    const roomOf = ({ stateShape }: (typeof stages)[number]) => unscoped(() => zeros([count, ...stateShape]))
    this.#round = round
    return (this.#drawn = {
      states: { x0: roomOf(policyOf(policy)), earlier: stages.slice(0, policyStage).map(roomOf) },
      scores: unscoped(() => zeros([count], 'float64')),
    })
  }

  #tensors(): Map<string, Tensor> {
    if (this.#drawn === undefined) return new Map()
    return new Map([...namedStates(this.#drawn.states), ['scores', this.#drawn.scores] as const])
  }

  /** All that a training's state has to hold of them; nothing in the first round. */
  state(): [string, Tensor][] {
    return under(prefix, this.#tensors())
  }

  /**
   * Goes on after so many updates.
   *
   * @throws {FormatError} the state of another run, or something is missing
   */
  load(update: number, tensors: ReadonlyMap<string, Tensor>, constant: number): void {
    const round = update === 0 ? 0 : this.#roundOf(update - 1)
    this.#rewards.constant = constant
    if (round === 0) return
    const { scores } = this.#makeRoom(round)
    copyState('images of a round', this.#tensors(), below(prefix, tensors))
    const values = scores.toArray()
    this.#images = this.#textsOf(round).map((text, i) => ({ text, score: values[i] }))
  }
}
