/**
 * What the page calls its measure, and what it says of it. A judge that reads images gives alignment: the share of
 * images that are as asked. Without one, a reward gives a win rate: the share of images that it scores higher than the
 * base's of the same prompt and noise.
 */
import type { Sampler } from '../../diffusion/process.ts'
import { chiefMeasure } from '../measures/index.ts'
import type { Measure } from '../measures/measure.ts'
import { isJudged, referenceOf, scorerOf } from '../report-facts.ts'
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
interface MarkWords {
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
  /** What the page is about. */
  readonly chief: Measure
  /** What a green or red figure of the table means. */
  readonly tableNote: string
  readonly marks: readonly MarkWords[]
  readonly seenTitle: string
  readonly categoriesNote: string
  readonly tradeOffTitle: string
  readonly tradeOffNote: string
  /** Of the axis of Fréchet distances, at its right end. */
  readonly closer: string
  readonly splitsTerm: string
}

export const wordingOf = (report: Report): Wording => (isJudged(report) ? judgeWording : rewardWording(report))

const judgeWording: Wording = {
  measuredBy: 'judge',
  chief: chiefMeasure('judge'),
  tableNote: 'a green or red difference has an interval clear of zero',
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
  splitsTerm:
    'Seen prompts were used in feedback and fine-tuning, with other seeds. Unseen prompts name objects and combinations that were in neither, though pre-training knew them.',
}

function rewardWording(report: Report): Wording {
  const scorer = scorerOf(report)
  const reference = referenceOf(report)
  return {
    measuredBy: 'reward',
    chief: chiefMeasure('reward'),
    tableNote: 'a green win rate has an interval above 50 %, a red one below 50 %',
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
    splitsTerm:
      'As they were given to this report: seen prompts are those of fine-tuning, with other noise here; unseen prompts are others.',
  }
}
