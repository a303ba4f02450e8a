/**
 * What the page calls its measure, and what it says of it. A judge that reads images gives alignment: the share of
 * images that are as asked. Without one, a reward gives a win rate: the share of images that it scores higher than the
 * base's of the same prompt and noise.
 */
import type { Sampler } from '../../diffusion/process.ts'
import type { Report } from '../schema.ts'

export const samplerTitles: Readonly<Record<Sampler['name'], string>> = {
  ddim: 'DDIM',
  'flow-ode': 'Euler steps of the flow',
  'flow-sde': 'SDE of the flow',
  'flow-cps': 'steps of the flow that keep its coefficients',
}

/** As asked or not, by a judge; better than the base's image, worse or equal, by a reward. */
export type Mark = 'good' | 'bad' | 'equal'

/** How the page writes a mark on an image. */
export interface MarkWords {
  readonly mark: Mark
  readonly sign: string
  /** In the line that explains the signs. */
  readonly meaning: string
  /** In the text alternative of an image. */
  readonly said: string
}

/** The words of the page that depend on the measure. */
export interface Wording {
  readonly measuredBy: 'judge' | 'reward'
  /** Begins a heading, a row or an axis. */
  readonly measure: string
  /** What a green or red figure of the table means. */
  readonly tableNote: string
  readonly quality: string
  readonly frechetNote: string
  readonly marks: readonly MarkWords[]
  readonly seenTitle: string
  readonly categoriesNote: string
  readonly tradeOffTitle: string
  readonly tradeOffNote: string
  /** Of the axis of Fréchet distances, at its right end. */
  readonly closer: string
  readonly measureTerm: string
  readonly splitsTerm: string
  readonly frechetTerm: string
}

export const wordingOf = (report: Report): Wording =>
  report.policies[0].seen.measuredBy === 'judge' ? judgeWording : rewardWording(report)

/** The reward that stands for a judge, as sentences name it. */
export const scorerOf = ({ details }: Report): string => details?.measurement?.scorer ?? 'a reward'

/** What the Fréchet distance is to. */
export const referenceOf = ({ details }: Report): string => details?.measurement?.reference ?? 'reference images'

const judgeWording: Wording = {
  measuredBy: 'judge',
  measure: 'Alignment',
  tableNote: 'a green or red difference has an interval clear of zero',
  quality: 'Image quality',
  frechetNote: 'to true renders, lower is better',
  marks: [
    { mark: 'good', sign: '✓', meaning: 'the judge finds every stated attribute right', said: 'as asked' },
    { mark: 'bad', sign: '✗', meaning: 'it does not', said: 'not as asked' },
  ],
  seenTitle: 'Prompts seen in feedback and fine-tuning',
  categoriesNote: 'Share of images with every stated attribute right; whiskers are 95 % intervals over prompts.',
  tradeOffTitle: 'Alignment against fidelity',
  tradeOffNote:
    'Does a policy follow its prompts at the price of drawing worse pictures? Up is better aligned, right is closer to true renders. Whiskers are 95 % intervals.',
  closer: 'closer to true renders',
  measureTerm:
    'The share of images in which every attribute that the prompt states (object, colour, count, background) is right. A judge program reads the attributes from the pixels. It serves this report and the simulated rater alone: no checkpoint, stopping time or coefficient was chosen by it. Every prompt weighs the same.',
  splitsTerm:
    'Seen prompts were used in feedback and fine-tuning, with other seeds. Unseen prompts name objects and combinations that were in neither, though pre-training knew them.',
  frechetTerm:
    'Between the images and true renders of the attributes that the judge read from them, in the features of a network that no reward uses; the same number of images for every policy.',
}

function rewardWording(report: Report): Wording {
  const scorer = scorerOf(report)
  const reference = referenceOf(report)
  return {
    measuredBy: 'reward',
    measure: 'Win rate',
    tableNote: 'a green win rate has an interval above 50 %, a red one below 50 %',
    quality: 'Fidelity and variety',
    frechetNote: `to ${reference}, lower is closer`,
    marks: [
      {
        mark: 'good',
        sign: '+',
        meaning: `${scorer} scores the image higher than the base's`,
        said: "scored higher than the base's",
      },
      { mark: 'bad', sign: '−', meaning: 'lower', said: "scored lower than the base's" },
      { mark: 'equal', sign: '=', meaning: 'the same', said: "scored the same as the base's" },
    ],
    seenTitle: 'Seen prompts',
    categoriesNote: `Share of images that ${scorer} scores higher than the base's image of the same prompt and noise; whiskers are 95 % intervals over prompts. On the dashed line a policy is no better and no worse than the base.`,
    tradeOffTitle: 'Win rate against fidelity',
    tradeOffNote: `Does a policy win at the price of moving away from ${reference}? Up wins more often, right is closer to these images. Whiskers are 95 % intervals; the base is at 50 % by definition.`,
    closer: 'closer',
    measureTerm: `The share of images that ${scorer} scores higher than the base's image of the same prompt and noise; equal scores count half, so the base has 50 % by definition. Every prompt weighs the same. A win says nothing of how much higher the score is, and is worth as much as the scorer's taste.`,
    splitsTerm:
      'As they were given to this report: seen prompts are those of fine-tuning, with other noise here; unseen prompts are others.',
    frechetTerm: `Between a policy's images and ${reference}, in the image features of the CLIP network by which ${scorer} scores; the same number of images for every policy. Few images make a Fréchet distance too large, about equally for every policy, so compare it within this page only. It says how far the two are apart, not which are better.`,
  }
}
