/** The share of images in which a detector finds the objects that their prompts ask for. */
import { percentage, whole } from '../format.ts'
import { bootstrapMean, wilsonInterval, type Interval } from '../interval.ts'
import { compositionOf } from '../objects/composition-of.ts'
import type { PolicyReport } from '../schema.ts'
import { bootstrapOf, type EvaluatedSet, type Measure } from './measure.ts'

export const objectsAsAsked = {
  name: 'objects',
  title: 'Objects as asked',
  unit: percentage,
  better: 'higher',
  needs: 'scorer',
  section: 'splits',
  note: () => 'found by a detector',
  explanation({ details }) {
    const detector = details?.measurement?.detector
    if (detector === undefined) return undefined
    const { network, resize, threshold, colors, prompts, withoutColor, unstated } = detector
    const told =
      colors === null
        ? withoutColor === 0
          ? 'No prompt asks for a colour.'
          : `${whole(withoutColor)} prompts that ask for a colour are left out: no CLIPModel was given that tells colours (--encoder).`
        : `Colours are those whose texts are nearest to what the box shows, to ${colors}, box and background together.`
    return [
      `The share of images that show the objects of their prompt by the rules of GenEval (Ghosh et al. 2023): as many of each class as asked, not more where a number is asked, in the colour and at the place that is asked. ${network} finds them (images ${resize}); a box counts above a score of ${threshold}, as the class among all of these prompts that fits it best, and once where two of a class share half of their union. GenEval's own detector is another: compare within this page only.`,
      told,
      `${whole(prompts)} prompts were checked${unstated === 0 ? '' : `, and ${whole(unstated)} state nothing that a detector can check`}. Every prompt weighs the same.`,
    ].join(' ')
  },
  lack: ({ objects }) => (objects === undefined ? 'no detector was given (--detector names an OWL-ViT)' : undefined),
  of(set) {
    const checked = (set.objects ?? []).filter((one) => one !== null)
    return checked.length === 0 ? undefined : shareOf(checked, set)
  },
} as const satisfies Measure

/** With its interval over prompts; over the images of a single one. Where all say the same, resampling would know no doubt: it is Wilson's. */
function shareOf(prompts: readonly (readonly number[])[], set: EvaluatedSet): Interval {
  const units = prompts.length > 1 ? prompts : prompts[0].map((one) => [one])
  const share = bootstrapMean(units, bootstrapOf(set))
  return share.low < share.high ? share : wilsonInterval(share.mean, units.length)
}

/** The same by kind of prompt: GenEval's tag, or what the prompt asks for. */
export function objectsByKind(set: EvaluatedSet): NonNullable<PolicyReport['objectsByKind']> {
  const kinds = new Map<string, (readonly number[])[]>()
  for (const [p, images] of (set.objects ?? []).entries()) {
    if (images === null) continue
    const kind = compositionOf(set.prompts[p])?.tag ?? set.prompts[p].category
    kinds.set(kind, [...(kinds.get(kind) ?? []), images])
  }
  return Object.fromEntries(
    [...kinds].map(([kind, prompts]) => [
      kind,
      { prompts: prompts.length, n: prompts.flat().length, ...shareOf(prompts, set) },
    ]),
  )
}
