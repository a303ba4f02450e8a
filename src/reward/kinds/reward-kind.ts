import type { ModelConfig, Open } from '../../images/open-model.ts'
import type { Reward } from '../reward.ts'

/** Where to compute, and the encoder where one has to be named. */
export type RewardConfig = ModelConfig & { readonly encoder?: string | null }

/** What `--reward` may name: a kind is a file of this folder and a line of index.ts. */
export interface RewardKind {
  /** What its names are, as messages and help say it: `a run of \`reward train\``. */
  readonly what: string
  /** Names that stand for themselves, whatever lies on the disk; the studio offers them beside the rewards it has made. */
  readonly names?: readonly string[]
  /** It knows nothing of what people like: the studio, which is about that, does not offer it. */
  readonly isPlain?: true
  /** Nobody's judgments are in it: the studio offers it to watch a training by, not to train on. */
  readonly isSecondOpinion?: true
  /** Its rewards have no `scoreWithGradient`. */
  readonly hasNoGradient?: true
  /** Whether any other name is of this kind, by what lies there. */
  claims(name: string): boolean
  /**
   * @param open       gives the model where its own encoder is needed; else it is not called
   * @param openReward opens another reward with the same config, of which this one is made
   * @throws {FileError | FormatError | ConfigError}
   */
  open(
    name: string,
    config: RewardConfig,
    open: Open,
    openReward: (name: string) => Promise<Reward>,
  ): Reward | Promise<Reward>
}
