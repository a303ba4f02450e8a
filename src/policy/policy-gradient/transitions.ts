/** Single transitions of roll-outs, drawn at random and gathered for the training pass. */
import { alongBatch } from '../../diffusion/per-sample.ts'
import type { PlacedSteps } from '../../diffusion/process.ts'
import { promptRows } from '../../images/guided.ts'
import type { Random } from '../../random.ts'
import { cat, indexOf, tensor } from '../../tensor/create.ts'
import { alone, shareOf, type Group } from '../../tensor/group.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Rollouts } from '../rollout.ts'

/** One transition: row `rollout` of roll-outs at a step of sampling. */
export interface Place {
  readonly rollout: number
  readonly step: number
}

/** M transitions that are computed at once. */
export interface Transitions {
  readonly texts: readonly string[]
  /** x_0 of the stages before the policy's, [M, …] each. */
  readonly earlier: readonly Tensor[]
  /** Row of each text among their `promptRows`, int64 [M], on the device. */
  readonly index: Tensor
  /** Steps in the order of sampling. */
  readonly at: readonly number[]
  /** The same as the sampler takes them, on the device. */
  readonly steps: PlacedSteps
  readonly xt: Tensor // [M, …]
  readonly xPrev: Tensor // [M, …]
  /** Mean of the action under the policy that drew it, [M, …]. */
  readonly oldMean: Tensor
  readonly advantage: Tensor // [M]
  /** Of the minibatch. */
  readonly share: number
}

/**
 * Minibatches of random transitions, none twice.
 *
 * @param steps      that have an action to be trained on
 * @param perRollout transitions of a roll-out, on average
 * @param updates    among which they are divided; the last minibatches are smaller or missing where there are too few
 */
export function drawMinibatches(
  { texts }: Pick<Rollouts, 'texts'>,
  steps: readonly number[],
  { perRollout, updates, stream }: { readonly perRollout: number; readonly updates: number; readonly stream: Random },
): Place[][] {
  const places = stream.shuffle(texts.flatMap((_, rollout) => steps.map((step): Place => ({ rollout, step }))))
  const size = Math.ceil(Math.min(places.length, texts.length * perRollout) / updates)
  return Array.from({ length: updates }, (_, k) => places.slice(k * size, (k + 1) * size)).filter(
    (minibatch) => minibatch.length > 0,
  )
}

interface Gathering {
  /** Transitions of a part. */
  readonly atOnce: number
  /** Of the roll-outs and of what is trained. */
  readonly device: string
  /** The processes that share the roll-outs and each minibatch. */
  readonly group?: Group
}

/**
 * The transitions of each minibatch that this process computes, in parts of as many as are computed at once. Of roll-outs
 * that others have drawn these transitions alone travel. What the host knows goes to the device in three copies for all of
 * them: the numbers of their steps, the rows of their prompts, their advantages. The tensors belong to the caller's scope.
 *
 * @param advantages N numbers a step
 */
export function gather(
  rollouts: Rollouts,
  advantages: readonly (readonly number[])[],
  minibatches: readonly (readonly Place[])[],
  { atOnce, device, group = alone }: Gathering,
): Transitions[][] {
  const { shares, places, fetch } = routesOf(group, rollouts.texts.length, minibatches)
  const steps = rollouts.sampler.place(
    places.map(({ step }) => step),
    device,
  )
  let end = 0
  const parts = shares.map((share, k) =>
    Array.from({ length: Math.ceil(share.length / atOnce) }, (_, i) => {
      const part = share.slice(i * atOnce, (i + 1) * atOnce)
      const [from, to] = [end, (end += part.length)]
      return {
        range: [from, to] as const,
        texts: part.map(({ rollout }) => rollouts.texts[rollout]),
        at: part.map(({ step }) => step),
        steps: steps.slice(from, to),
        share: part.length / minibatches[k].length,
      }
    }),
  )
  using scope = tensorScope()
  const { own, states, noise, sigmas } = rollouts
  const picked = (like: Tensor, row: (rollout: number, step: number) => Tensor) => (drawn: readonly Place[]) =>
    drawn.length === 0
      ? like.slice(0, 0, 0)
      : cat(drawn.map(({ rollout, step }) => row(rollout - own.from, step).unsqueeze(0)))
  const before = picked(states[0], (rollout, step) => states[step].select(0, rollout))
  const after = picked(states[0], (rollout, step) => states[step + 1].select(0, rollout))
  const noises = picked(states[0], (rollout, step) => noise.select(0, rollout).select(0, step + 1))
  const deviations = picked(sigmas[0], (rollout, step) => sigmas[step].select(0, rollout))
  const all = {
    earlier: rollouts.earlier.map((each) => fetch(picked(each, (rollout) => each.select(0, rollout)))),
    xt: fetch(before),
    xPrev: fetch(after),
    oldMean: fetch((drawn) => {
      const [xPrev, sigma] = [after(drawn), deviations(drawn)]
      return xPrev.sub(noises(drawn).mul(sigma.shape.length === 1 ? alongBatch('sigma', sigma, xPrev) : sigma))
    }),
    advantage: tensor(places.map(({ rollout, step }) => advantages[step][rollout])).to(device),
    index: indexOf(
      parts.flat().flatMap((part) => rowsIn(part.texts)),
      device,
    ),
  }
  return parts.map((ofOne) =>
    ofOne.map(({ range, ...part }) => {
      const rows = (of: Tensor) => scope.keep(of.slice(0, ...range))
      return {
        ...part,
        index: rows(all.index),
        earlier: all.earlier.map(rows),
        xt: rows(all.xt),
        xPrev: rows(all.xPrev),
        oldMean: rows(all.oldMean),
        advantage: rows(all.advantage),
      }
    }),
  )
}

function rowsIn(texts: readonly string[]): number[] {
  const rows = promptRows(texts)
  return texts.map((text) => rows.get(text)!)
}

/**
 * Who has drawn which transition, and who computes it.
 *
 * @returns what this process computes of each minibatch (`shares`), the same in a row (`places`), and how it comes by the
 *          rows of those: `fetch` has every process pick rows of transitions that it has drawn, and sends them where they
 *          are wanted
 */
function routesOf(group: Group, count: number, minibatches: readonly (readonly Place[])[]) {
  const ranks = Array.from({ length: group.size }, (_, rank) => ({ rank, size: group.size }))
  const sharesOf = (one: (typeof ranks)[number]) =>
    minibatches.map((minibatch) => {
      const { from, to } = shareOf(one, minibatch.length)
      return minibatch.slice(from, to)
    })
  const drawnBy = (one: (typeof ranks)[number]) => {
    const { from, to } = shareOf(one, count)
    return ({ rollout }: Place) => rollout >= from && rollout < to
  }
  const shares = sharesOf(group)
  const places = shares.flat()
  const sent = ranks.map((one) => sharesOf(one).flat().filter(drawnBy(group)))
  const received = ranks.map((one) => places.filter(drawnBy(one)))
  const arrival = new Map(received.flat().map((place, i) => [place, i]))
  const order = places.map((place) => arrival.get(place)!)
  const isInOrder = order.every((place, i) => place === i)
  const lengths = (lists: readonly (readonly Place[])[]) => lists.map(({ length }) => length)
  return {
    shares,
    places,
    fetch(pick: (drawn: readonly Place[]) => Tensor): Tensor {
      const rows = group.exchange(pick(sent.flat()), lengths(sent), lengths(received))
      return isInOrder ? rows : rows.indexSelect(0, tensor(order, [order.length], 'int64').to(rows.device))
    },
  }
}
