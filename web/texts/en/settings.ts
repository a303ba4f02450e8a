/** Fields of forms, whatever they set. */
export const settings = {
  accepted: (expected: string) => `Accepted: ${expected}.`,
  noChoice: 'There are none yet.',
  onePerLine: 'one a line',
  /** By the names of fields, and what is said below them by the server's words; English shows those as they are. */
  labels: {} as Readonly<Record<string, string>>,
  hints: {} as Readonly<Record<string, string>>,
  /** What an empty field means where the model or the machine has a value for it. */
  automatic: 'automatic',
  /** What other empty fields mean, by their names. */
  empty: {
    policy: 'pre-trained model',
    prompts: 'those of all rounds',
    scorer: 'none',
    heldOutReward: 'none',
    reward: 'none',
    mixedPrecision: 'off',
    latents: 'new noise',
  },
}
