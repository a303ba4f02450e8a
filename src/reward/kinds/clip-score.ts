/** The CLIP score of the encoder that is at hand: a second opinion that no judgments have formed. */
import { FormatError } from '../../errors.ts'
import { embeddingReward } from '../embedding-reward.ts'
import { openEncoder } from '../encoding/open-encoder.ts'
import { rememberTexts } from '../encoding/text-cache.ts'
import type { RewardKind } from './reward-kind.ts'

const name = 'clip-score'

/** cos(image, text) by `--encoder`, or else by the encoder that the model brings. */
export const clipScore: RewardKind = {
  what: name,
  names: [name],
  isSecondOpinion: true,
  claims: () => false,
  async open(_, config, open) {
    const given = config.encoder ?? undefined
    const encoder = given === undefined ? (await open(config)).encoder : rememberTexts(openEncoder(given, config))
    if (encoder === undefined) {
      throw new FormatError({
        where: name,
        expected: 'an encoder of images and texts',
        received: `${config.model}, which brings none`,
        remedy: 'name a CLIPModel with --encoder',
      })
    }
    return embeddingReward({
      name,
      sha256: encoder.sha256,
      range: [-1, 1],
      isWithinPrompt: true,
      encoder,
      score: (images, texts) => images.mul(texts()).sum(1).clamp(-1, 1),
      features: (images, texts) => images.mul(texts).mul(Math.sqrt(encoder.width)),
    })
  },
}
