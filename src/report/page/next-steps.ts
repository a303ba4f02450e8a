/** What to do next, computed from the figures of a report: the reader is told what follows, not left with a table. */
import { compact, whole } from '../format.ts'
import { diversity } from '../measures/diversity.ts'
import { frechet } from '../measures/frechet.ts'
import { kl } from '../measures/kl.ts'
import { valueOf } from '../measures/value-of.ts'
import { ownNames } from '../policy-name.ts'
import { splits, type PolicyReport, type Report } from '../schema.ts'
import { wantedSentence } from '../votes/verdict-words.ts'
import { tollOf } from './cost-section.ts'
import { comparisonOf, direction, policyOf, subjectOf, votedPair } from './headline.ts'
import { looksOf } from './policy-look.ts'
import { rewardDoubt } from './reward-doubt.ts'

const mostSteps = 4
/** Fewer images a policy and split: intervals are wide. */
const enoughImages = 400

/** Sentences, what matters most first: an order of what to do, each with its reason. */
export function nextSteps(report: Report): string[] {
  const [base, subject] = [policyOf(report, 'base'), subjectOf(report)]
  if (!base || !subject) return ['Train a policy, and measure it beside the base.']
  const title = looksOf(report)(subject.name).title
  const isTrained = !ownNames.includes(subject.name)
  const doubt = rewardDoubt(report)
  const voted = votedPair(report, subject.name)
  const [seen, unseen] = splits.map((split) => direction(subject[split].differenceToBase))
  const isLost = voted?.verdict?.better === 'against'
  const isWorse = isLost || seen === 'down' || unseen === 'down'
  const steps: (string | undefined)[] = [
    isLost
      ? `Do not go on from ${title}: people find it clearly worse than the base.`
      : isWorse
        ? `Do not go on from ${title}: it is clearly worse than the base on ${[seen, unseen].flatMap((one, i) => (one === 'down' ? splits[i] : [])).join(' and ')} prompts.`
        : undefined,
    doubt,
    isTrained && !isLost ? voteStep(report, subject, title) : undefined,
    isTrained ? gentlerStep(report, base, subject, title) : undefined,
    !isWorse && (seen === 'unclear' || unseen === 'unclear') ? unclearStep(subject, [seen, unseen]) : undefined,
  ]
  const told = steps.filter((step) => step !== undefined)
  const isProven = voted?.verdict?.better === 'policy' || (seen === 'up' && doubt === undefined)
  const further =
    isTrained && !isWorse && isProven ? [`Collect again: let ${title} draw the next round, and label its images.`] : []
  const all = [...told, ...further]
  return all.length === 0 ? ['Label more images, and train the next reward.'] : all.slice(0, mostSteps)
}

function voteStep(report: Report, subject: PolicyReport, title: string): string | undefined {
  const voted = votedPair(report, subject.name)
  if (voted === undefined) return `Vote blind: no person has said yet whether ${title} is better than the base.`
  const { verdict } = voted
  if (verdict === undefined || verdict.better !== null) return undefined
  const said = { ...verdict, better: null, interval: verdict.share }
  return `Go on voting: no clear difference between ${title} and the base so far. ${wantedSentence(said)}`
}

/** A policy that is about as good has moved less from the base; or else this one should. */
function gentlerStep(report: Report, base: PolicyReport, subject: PolicyReport, title: string): string | undefined {
  const nats = valueOf(subject, kl)
  const tolls = [
    ...(tollOf(base, subject, frechet) === 'worse' ? ['its images moved away from what they should be like'] : []),
    ...(tollOf(base, subject, diversity) === 'worse' ? ['they vary less'] : []),
  ]
  const others = report.policies.flatMap((policy) => {
    const own = valueOf(policy, kl)
    const isOther = policy !== subject && !ownNames.includes(policy.name) && own !== undefined
    const isAsGood = splits.every((split) => {
      const difference = comparisonOf(report, subject.name, policy.name, split)
      return difference !== undefined && direction(difference) !== 'up'
    })
    return isOther && isAsGood && nats !== undefined && own.high < nats.low ? [{ policy, nats: own.mean }] : []
  })
  const gentlest = others.toSorted((a, b) => a.nats - b.nats).at(0)
  if (gentlest !== undefined) {
    return `Take ${looksOf(report)(gentlest.policy.name).title} instead: it is not clearly worse than ${title}, at a KL of ${compact(gentlest.nats)} instead of ${compact(nats!.mean)} nats.`
  }
  if (tolls.length === 0) return undefined
  return `Train with a smaller KL, by a larger KL weight or fewer images drawn: with ${title} ${tolls.join(', and ')}.`
}

function unclearStep(subject: PolicyReport, directions: readonly ReturnType<typeof direction>[]): string {
  const open = splits.filter((_, i) => directions[i] === 'unclear')
  const isSmall = open.some((split) => subject[split].n < enoughImages)
  const why = `the change on ${open.join(' and ')} prompts is not clear of zero`
  return isSmall
    ? `Measure more images: ${why}, with ${whole(Math.min(...open.map((split) => subject[split].n)))} images a policy.`
    : `Train longer, or label more images and train the next reward: ${why}.`
}
