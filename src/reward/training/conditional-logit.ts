/**
 * Choices between alternatives by a few numbers of each (McFadden 1974, Conditional Logit Analysis of Qualitative Choice
 * Behavior): P(alternative k) = exp(x_k · θ) / Σ_j exp(x_j · θ). A good or bad answer is such a choice, and so is a
 * comparison with ties by Davidson's model.
 */

export interface Choice {
  /** x of each alternative [K][P]. */
  readonly alternatives: readonly (readonly number[])[]
  readonly chosen: number
  /** How many choices it counts as. */
  readonly weight: number
  /** Choices of one group are no independent evidence. */
  readonly group: string
}

/** What is believed of a parameter before any choice: a normal distribution. */
export interface Prior {
  readonly mean: number
  /** 1 / variance, > 0. */
  readonly precision: number
  /** The value that it has to have. */
  readonly fixedAt?: number | undefined
}

const mostSteps = 100

/**
 * The θ that minimises Σ w (−log P(chosen)) + Σ_p precision_p (θ_p − mean_p)²/2, which is convex, by Newton's method with
 * steps halved until they go down.
 *
 * @param choices [n]
 * @param priors  [P]
 * @returns       θ [P], and the minimum in nats
 */
export function fitChoices(
  choices: readonly Choice[],
  priors: readonly Prior[],
): { readonly theta: readonly number[]; readonly nats: number } {
  const free = [...priors.keys()].filter((p) => priors[p].fixedAt === undefined)
  let theta = priors.map(({ mean, fixedAt = mean }) => fixedAt)
  let nats = lossOf(choices, priors, theta)
  for (let step = 0; step < mostSteps; step++) {
    const { gradient, hessian } = derivatives(choices, priors, theta)
    const move = solve(
      free.map((p) => free.map((q) => hessian[p][q])),
      free.map((p) => gradient[p]),
    )
    let next = { theta, nats }
    for (let length = 1; length > 1e-6; length /= 2) {
      const tried = theta.map((value, p) => value - (free.includes(p) ? length * move[free.indexOf(p)] : 0))
      const triedNats = lossOf(choices, priors, tried)
      if (triedNats >= nats) continue
      next = { theta: tried, nats: triedNats }
      break
    }
    const isDone = nats - next.nats <= 1e-12 * (1 + Math.abs(nats))
    theta = next.theta
    nats = next.nats
    if (isDone) break
  }
  return { theta, nats }
}

/**
 * Standard error of θ_p at the minimum: the larger one of √(H⁻¹)_pp, which takes choices as independent, and of the sandwich
 * √(Σ_groups (e_p H⁻¹ s_g)²) with the summed gradients s of each group (Liang & Zeger 1986).
 */
export function standardError(
  choices: readonly Choice[],
  priors: readonly Prior[],
  theta: readonly number[],
  parameter: number,
): number {
  const { hessian } = derivatives(choices, priors, theta)
  const row = solve(hessian, priors.map((_, p) => (p === parameter ? 1 : 0))) // prettier-ignore
  const none = priors.map(() => ({ mean: 0, precision: 0 }))
  const groups = Map.groupBy(choices, ({ group }) => group).values()
  const ofGroups = [...groups].reduce((sum, own) => sum + dot(row, derivatives(own, none, theta).gradient) ** 2, 0)
  return Math.sqrt(Math.max(row[parameter], ofGroups))
}

const dot = (x: readonly number[], theta: readonly number[]) => x.reduce((sum, value, p) => sum + value * theta[p], 0)

/** log Σ exp(x_k · θ), and P of each alternative. */
function shares({ alternatives }: Choice, theta: readonly number[]): { readonly log: number; readonly of: number[] } {
  const logits = alternatives.map((x) => dot(x, theta))
  const most = Math.max(...logits)
  const log = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0))
  return { log, of: logits.map((logit) => Math.exp(logit - log)) }
}

function lossOf(choices: readonly Choice[], priors: readonly Prior[], theta: readonly number[]): number {
  const held = priors.reduce((sum, { mean, precision }, p) => sum + (precision * (theta[p] - mean) ** 2) / 2, 0)
  return choices.reduce((sum, choice) => {
    const { alternatives, chosen, weight } = choice
    return sum + weight * (shares(choice, theta).log - dot(alternatives[chosen], theta))
  }, held)
}

function derivatives(choices: readonly Choice[], priors: readonly Prior[], theta: readonly number[]) {
  const gradient = priors.map(({ mean, precision }, p) => precision * (theta[p] - mean))
  const hessian = priors.map(({ precision }, p) => priors.map((_, q) => (p === q ? precision : 0)))
  for (const choice of choices) {
    const { alternatives, chosen, weight } = choice
    const { of } = shares(choice, theta)
    const mean = priors.map((_, p) => of.reduce((sum, share, k) => sum + share * alternatives[k][p], 0))
    for (const p of priors.keys()) {
      gradient[p] += weight * (mean[p] - alternatives[chosen][p])
      for (const q of priors.keys()) {
        const both = of.reduce((sum, share, k) => sum + share * alternatives[k][p] * alternatives[k][q], 0)
        hessian[p][q] += weight * (both - mean[p] * mean[q])
      }
    }
  }
  return { gradient, hessian }
}

/** x of A x = b by elimination; A is positive definite, so no row has to be exchanged. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const factor = matrix[j][i] / matrix[i][i]
      for (let k = i; k < size; k++) matrix[j][k] -= factor * matrix[i][k]
      right[j] -= factor * right[i]
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) right[i] -= matrix[i][k] * right[k]
    right[i] /= matrix[i][i]
  }
  return right
}
