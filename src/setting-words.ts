/** Settings as people read them. Free of Node: forms, the page of a job and messages say the same. */

const spelled: Readonly<Record<string, string>> = {
  kl: 'KL',
  dpok: 'DPOK',
  lora: 'LoRA',
  d: 'D',
  o: 'O',
  vae: 'VAE',
  ema: 'EMA',
}

/** `klWeight` → `KL weight` */
export function settingTitle(field: string): string {
  const words = field.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
  const text = words.map((word) => spelled[word] ?? word).join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What is meant where a setting says nothing. */
const emptyWords: Readonly<Record<string, string>> = {
  policy: 'pre-trained model',
  prompts: 'those of all rounds',
  scorer: 'none',
  heldOutReward: 'none',
  reward: 'none',
  mixedPrecision: 'off',
  latents: 'new noise',
}

/** What an empty setting means: `pre-trained model`, `none`; else what the model or the machine has for it. */
export const emptySetting = (field: string): string => emptyWords[field] ?? 'automatic'
