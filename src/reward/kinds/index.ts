/** All kinds of rewards. Of those that claim a name, the first one opens it. */
import { aestheticHead } from './aesthetic-head.ts'
import { brightness } from './brightness.ts'
import { clipModel } from './clip-model.ts'
import { composition } from './composition.ts'
import { clipScore } from './clip-score.ts'
import { httpReward } from './http-reward.ts'
import { imageReward } from './image-reward.ts'
import { jpegCompressibility, jpegSize } from './jpeg-size.ts'
import { redness } from './redness.ts'
import type { RewardKind } from './reward-kind.ts'
import { trainedRun } from './trained-run.ts'

export const rewardKinds: readonly RewardKind[] = [
  trainedRun, // of people's judgments
  imageReward,
  clipModel,
  clipScore,
  aestheticHead,
  composition,
  httpReward,
  redness,
  brightness,
  jpegSize,
  jpegCompressibility,
]
