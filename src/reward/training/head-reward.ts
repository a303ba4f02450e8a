/** The reward that is a head on the frozen encoder: written, and measured on the prompts that were held out. */
import type { Run } from '../../run.ts'
import type { Embedded } from '../encoding/embeddings.ts'
import { ensembleName, writeEnsemble } from '../ensemble-file.ts'
import { foretold } from '../examples/disagreements.ts'
import { clipShareWords, heldOutWords } from '../examples/held-out-words.ts'
import { rewardFileName, writeReward } from '../reward-file.ts'
import { expectTeaching } from '../teaching-scores.ts'
import { scoresOf } from './ensemble.ts'
import type { FittedHeads, MixedHead } from './fit-heads.ts'
import { measureReward } from './measure-reward.ts'
import type { RewardInputs } from './reward-inputs.ts'
import type { RewardMade } from './reward-made.ts'
import type { RewardTrainConfig } from './reward-train-config.ts'

/**
 * @param run into which it is written; none by processes that do not write
 * @throws {RewardError} all images have one score
 */
export function headReward(
  run: Run | undefined,
  { fitted, measured, members }: FittedHeads,
  embedded: Embedded,
  { judged, encoder, head, split }: RewardInputs,
  { seed, encoder: encoderPath }: RewardTrainConfig,
): RewardMade {
  const scoresBy = (each: Pick<MixedHead, 'head'>) => scoresOf(embedded, each.head, judged)
  const own = scoresBy(fitted)
  expectTeaching('the fitted reward', own, {
    remedy: 'nothing was learned; lower --learning-rate or --weight-decay',
  })
  if (run !== undefined) {
    writeReward(run.path(rewardFileName), fitted.head, encoder, encoderPath ?? undefined)
    if (members.length > 0) writeEnsemble(run.path(ensembleName), members.map((member) => member.head)) // prettier-ignore
  }
  const fits = [...members, ...(measured === undefined ? [] : [measured])]
  const seeing = fits.map((each) => ({ seen: each.seen, scores: scoresBy(each) }))
  const heldOut = measured && {
    prompts: split!.prompts,
    ...measureReward(embedded, measured, split!.heldOut, seed),
  }
  return {
    scores: foretold(judged, seeing, own),
    scoreOthers: (others, frozen) => Promise.resolve(scoresOf(frozen, fitted.head, others)),
    [Symbol.dispose]: () => undefined,
    nu: fitted.nu,
    heldOut: heldOut ?? null,
    words: [
      ...(fitted.clipShare === null ? [] : [clipShareWords(fitted.clipShare)]),
      ...(heldOut === undefined ? [notMeasured] : heldOutWords(heldOut.prompts, heldOut)),
    ],
    facts: { head, nu: fitted.nu, clipShare: fitted.clipShare, mixture: fitted.head.mixture ?? null },
    note: 'heldOut is of a fit without those prompts; the reward that was written is a fit of all judgments.',
  }
}

export const notMeasured = 'note: nothing was held out, so nothing is known of how good this reward is'
