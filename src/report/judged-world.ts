/** A world of prompts whose images a program can judge: it knows what they ought to show. */
import type { Probe } from '../policy/sample-images.ts'
import type { PromptWorld } from '../prompts/prompt-world.ts'
import type { WorldJudge } from './evaluate.ts'

/** A world of prompts with a judge that reads its images. */
export interface JudgedWorld extends PromptWorld {
  readonly judge: () => Promise<WorldJudge>
  /** Measures the sample images of a training, for show. */
  readonly probe: () => Promise<Probe>
}
