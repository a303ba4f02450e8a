/** Lee et al. 2023: what the reward learns from how many labels, right and wrong, with and without prompt classification. */
import { readFileSync } from 'node:fs'
import { curves, LabelCurve } from '../label-curve.ts'
import { scriptBeside } from '../../script-beside.ts'
import { labelled } from '../recipes.ts'
import type { Arm, Bench, Claim, Study } from '../study.ts'

const counts = [30, 60, 120, 180, 360, 720, 1440, 2400]
const errorRates = [0, 0.05, 0.15, 0.3]
const titles = {
  usual: 'As trained by default, with a say of the CLIP score',
  classes: 'Head alone: MSE and prompt classification',
  mse: 'Head alone: MSE',
  clip: 'CLIP score',
}

const nameOf = (curve: keyof typeof titles, errorRate: number, labels: number) =>
  `${curve}-${100 * errorRate}%-${labels}`

function arms(bench: Bench): Arm[] {
  const { images } = labelled(bench)
  const most = bench.prompts.trainedCount * bench.size.labelledPerPrompt
  const used = counts.filter((count) => count < 0.75 * most)
  return errorRates.flatMap((errorRate) => {
    const step = bench.steps.add(
      { script: scriptBeside(import.meta.url, '../run-label-curve') },
      {
        images: [images],
        counts: used,
        errorRate,
        heldOut: Math.round(bench.prompts.trainedCount / 5),
        seed: bench.seed,
      },
      {
        title: `rewards by labels, ${100 * errorRate} % wrong, seed ${bench.seed}`,
        guess: 60,
        writes: ['out', 'curve.json'],
      },
    )
    const rows = () => LabelCurve.parse(JSON.parse(readFileSync(step.path, 'utf8')))
    return curves.flatMap((curve) =>
      used.map((labels) => ({
        name: nameOf(curve, errorRate, labels),
        title: `${titles[curve]}, ${labels} labels, ${100 * errorRate} % wrong`,
        at: labels,
        step,
        part: `${curve} ${labels}`,
        read: () =>
          rows()
            .filter((row) => row.curve === curve && row.labels === labels)
            .map((row) => ({ measure: 'auc', value: row.auc })),
      })),
    )
  })
}

const few = [30, 60, 120, 180]
const claims: readonly Claim[] = [
  {
    says: 'The reward judges prompts that nobody labelled better than the CLIP score does.',
    source: 'Lee et al. 2023, figure 3',
    parts: [
      {
        says: 'AUC after 1440 labels, 5 % of them wrong, less that of the CLIP score',
        unit: 'number',
        of: (look) => look(nameOf('usual', 0.05, 1440), 'auc') - look(nameOf('clip', 0.05, 1440), 'auc'),
      },
    ],
  },
  {
    says: 'Prompt classification makes the reward better.',
    source: 'Lee et al. 2023, equation 2 and figure 3',
    parts: [360, 1440].map((labels) => ({
      says: `AUC after ${labels} labels with it less that without it`,
      unit: 'number',
      of: (look) => look(nameOf('classes', 0.05, labels), 'auc') - look(nameOf('mse', 0.05, labels), 'auc'),
    })),
  },
  {
    says: 'With few labels the reward is not worse than the CLIP score (by more than 0.01).',
    source: 'What a user who begins relies on',
    parts: few.map((labels) => ({
      says: `AUC after ${labels} labels less that of the CLIP score`,
      unit: 'number',
      bound: -0.01,
      of: (look) => look(nameOf('usual', 0.05, labels), 'auc') - look(nameOf('clip', 0.05, labels), 'auc'),
    })),
  },
]

export const rewards: Study = {
  name: 'rewards',
  title: 'The reward: labels, their errors, prompt classification',
  question: 'How many labels does a reward need to be better than the CLIP score, and what do wrong ones cost?',
  tunings: [],
  arms,
  claims,
  sweeps: errorRates.map((errorRate) => ({
    title: `${100 * errorRate} % of the labels wrong`,
    axis: 'labels',
    isLogarithmic: true,
    measures: [{ measure: 'auc' }],
    lines: curves.map((curve) => ({
      title: titles[curve],
      arms: counts.map((labels) => nameOf(curve, errorRate, labels)),
    })),
  })),
}
