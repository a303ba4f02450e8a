/** What rewards have learned, how well, and where people disagree with them. */
import { english } from '../speech.ts'

const { counted, figure, listed } = english

export const rewards = {
  title: 'Rewards',
  about: 'What has been learned from the labels.',
  none: 'There is no reward yet',
  noneWhy: 'It learns from labels what people like, and scores any image of a prompt.',
  noPolicyStarts: 'No policy starts by itself on this reward',

  quality: {
    title: 'On judgments that it has not seen',
    notMeasured: 'No prompts were held out, so it is not known how good this reward is.',
    accuracy: 'Accuracy',
    auc: 'AUC',
    clipAuc: 'AUC of the CLIP score',
    clipShare: 'CLIP score in the reward',
    pairs: 'Pairs in order',
    frozenPairs: 'The same by a head on the frozen encoder',
    gain: 'Ahead of it by',
    ties: 'Ties',
    tiesExpected: (share: string) => `${share} expected`,
    calibrationError: 'Calibration error',
    between: (low: string, high: string) => `${low} to ${high}`,
    /** Labels and comparisons, as far as there are any. */
    on: (labels: number, comparisons: number, prompts: number) =>
      `${listed([
        ...(labels > 0 ? [counted(labels, { one: 'label', other: 'labels' })] : []),
        ...(comparisons > 0 ? [counted(comparisons, { one: 'comparison', other: 'comparisons' })] : []),
      ])} of ${counted(prompts, { one: 'prompt', other: 'prompts' })} that training did not see, with 95 % intervals over prompts.`,
  },

  calibration: {
    title: 'Calibration',
    tooFew: 'There are too few held-out judgments to draw it.',
    point: (predicted: string, observed: string, low: string, high: string, count: number) =>
      `predicted ${predicted}, people ${observed} (${low} to ${high}) of ${figure(count)}`,
    ofImages:
      'Right: what the reward predicts, in %. Up: how many people called it good. On the dashed line both agree; larger dots stand for more images, and the lines are 95 % intervals.',
    ofPairs:
      'Right: how surely the reward expects the first image of a pair to win, in %. Up: how often it did. On the dashed line both agree; larger dots stand for more pairs, and the lines are 95 % intervals.',
  },

  facts: {
    labels: 'Labels',
    comparisons: 'Comparisons',
    prompts: 'Prompts',
    raters: 'Raters',
    ratersOf: (count: number, isSimulated: boolean) =>
      `${figure(count)}${isSimulated ? ', one of them simulated' : ''}`,
    head: 'Head',
    encoder: 'Encoder',
    trainedEncoder: {
      lora: (encoder: string) => `${encoder}, trained by adapters`,
      all: (encoder: string) => `${encoder}, trained by all of its weights`,
    },
    trained: 'Trained',
    trainedIn: (when: string, time: string) => `${when}, in ${time}`,
    policies: 'Policies trained on it',
    noPolicies: 'none yet',
    trainPolicy: 'Train a policy on it',
  },

  disagreements: {
    title: 'Where people and reward disagree',
    how: 'Where possible, an image is scored by a copy of the reward that has seen no judgment of its prompt. Where an image was only compared, both numbers are its share of wins, a tie being half a win. The largest difference comes first.',
    none: 'On no image that was judged are they on different sides: good by the one, bad by the other.',
    reward: 'Reward',
    people: 'People',
    ofAnswers: (count: number) => `of ${figure(count)}`,
    ofComparisons: (count: number) => `of ${counted(count, { one: 'comparison', other: 'comparisons' })}`,
  },
}
