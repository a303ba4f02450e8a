import type { Texts } from '../en.ts'

export const settings: Texts['settings'] = {
  accepted: (expected) => `Möglich: ${expected}.`,
  noChoice: 'Es gibt noch keine.',
  onePerLine: 'eine Angabe je Zeile',
  automatic: 'automatisch',
  empty: {
    policy: 'vortrainiertes Modell',
    prompts: 'die aller Runden',
    scorer: 'keine',
    heldOutReward: 'keine',
    reward: 'keine',
    mixedPrecision: 'aus',
    latents: 'neues Rauschen',
  },
}
