/** The loss of PickScore (Kirstain et al. 2023, arXiv:2305.01569, §3). */
import { tensor } from '../../tensor/create.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/**
 * KL(p ‖ p̂) of what was said of pairs, where p̂ = softmax(s_better, s_worse) and p = (1, 0), or (½, ½) of a tie:
 *
 *   −log σ(d),   or of a tie   −½ log σ(d) − ½ log σ(−d) − log 2,   with d = s_better − s_worse
 *
 * @param better s(x, y) = exp(logit scale) · E_txt(x) · E_img(y) of the better images [B]
 * @param worse  the same of the others [B]
 * @returns      [B], nats, ≥ 0
 * @throws {ShapeError}
 */
export function preferenceKl(better: Tensor, worse: Tensor, isTie: readonly boolean[]): Tensor {
  expectShape('better', better, [isTie.length])
  expectShape('worse', worse, better.shape)
  const difference = better.sub(worse)
  const decided = difference.neg().softplus()
  const tied = decided.add(difference.softplus()).mul(0.5).sub(Math.LN2)
  const ties = tensor(isTie.map(Number)).to(better.device)
  return decided.add(tied.sub(decided).mul(ties))
}
