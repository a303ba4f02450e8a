/** Who came from whom. */
import { english } from '../speech.ts'

const { counted, figure, fixed } = english

export const history = {
  about: 'Who came from whom: every reward, policy and round with its parents.',
  none: 'The history begins with the first round',
  noneWhy: 'Rounds of images, rewards and policies appear here as they are made.',
  begin: 'Begin',
  kinds: {
    pretrained: 'Pre-trained model',
    round: 'Round',
    judgments: 'Judgments',
    reward: 'Reward',
    policy: 'Policy',
    report: 'Report',
  },
  embedded: 'embedded model',
  checkpoint: 'checkpoint',
  facts: {
    images: (count: number) => counted(count, { one: 'image', other: 'images' }),
    judged: (count: number) => `${figure(count)} judged`,
    labels: (count: number) => counted(count, { one: 'label', other: 'labels' }),
    auc: (auc: number) => `AUC ${fixed(auc, 2)}`,
    updates: (count: number) => counted(count, { one: 'update', other: 'updates' }),
  },
  picture: 'Picture of the history; the list below says the same',
  inOrder: 'In order of time',
  kindAndTime: (kind: string, when: string) => `${kind.toLowerCase()} · ${when}`,
  from: (parents: readonly string[]) => `from ${parents.join(', ')}`,
}
