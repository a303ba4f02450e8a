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
