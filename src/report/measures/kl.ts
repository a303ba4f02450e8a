/** How far training has moved a policy from the base. */
import { bestOfNKl } from '../../policy/trajectory-kl.ts'
import { nats } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { bootstrapOf, type EvaluatedSet, type Measure } from './measure.ts'

export const kl = {
  name: 'kl',
  title: 'KL to base',
  unit: nats,
  better: undefined,
  needs: 'images',
  section: 'training',
  remark: ({ klNats }) => (klNats.of === 'image' ? 'of the image, a bound' : undefined),
  explanation({ policies }) {
    const bestOf = policies.find((policy) => policy.bestOf)?.bestOf
    return `Σₜ KL between the transitions of the policy and of the pre-trained model, in nats, on fresh roll-outs of the policy.${bestOf === undefined ? '' : ` For best-of-${bestOf} it is the bound log n − (n−1)/n on the KL of the image, which is not the same quantity.`}`
  },
  lack: ({ name, bestOf, kl: found }: EvaluatedSet) =>
    found === undefined && bestOf === undefined && name !== 'base'
      ? 'no step of the sampler has noise, so that images have no density (--eta)'
      : undefined,
  of(set) {
    if (set.kl !== undefined) return bootstrapMean(set.kl, bootstrapOf(set))
    const nats = set.bestOf === undefined ? 0 : bestOfNKl(set.bestOf)
    return { mean: nats, low: nats, high: nats }
  },
} as const satisfies Measure
