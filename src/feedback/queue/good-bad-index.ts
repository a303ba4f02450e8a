/** One to three images, each good or bad (Lee et al. 2023 show three of a prompt side by side); with gold items. */
import { ImageAnswers } from './image-answers.ts'
import type { Asked, ModeIndex, OpenTasks, QueueBasis } from './open-tasks.ts'
import type { StandingChange } from '../raters/standing.ts'

const size = 3

export class GoodBadIndex implements ModeIndex {
  readonly #answers: ImageAnswers

  constructor(basis: QueueBasis) {
    this.#answers = new ImageAnswers(basis, { kind: 'good-bad-skip', size, hasGold: true })
  }

  change(change: StandingChange): void {
    this.#answers.change(change)
  }

  open(asked: Asked): OpenTasks {
    const walk = this.#answers.walk(asked)
    const gold = this.#answers.gold(asked)
    return {
      done: this.#answers.done(asked.rater),
      left: this.#answers.left(asked.rater),
      walk,
      rated: new Map(),
      broken: () => undefined,
      fresh(stream) {
        const prompt = walk.next()
        return prompt && stream.shuffle(walk.take(prompt, size))
      },
      second: this.#answers.seconds(asked, size),
      gold(stream) {
        const image = gold(stream)
        return image && stream.shuffle([image, ...walk.take(image.prompt, size - 1)])
      },
    }
  }
}
