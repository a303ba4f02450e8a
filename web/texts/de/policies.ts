import type { Texts } from '../en.ts'

export const policies: Texts['policies'] = {
  pretrained: 'vortrainiertes Modell',
  uploaded: 'hochgeladen',
  download: 'Policy herunterladen',
  downloadNamed: (name) => `Policy ${name} herunterladen`,
  lora: (form) => `LoRA für ${form}`,
  loraNamed: (form, name) => `LoRA für ${form}: ${name} herunterladen`,
  goodFor: {
    diffusers: 'Für diffusers und Python',
    kohya: 'Für die Skripte von kohya, Web-Oberflächen und ComfyUI',
  },
}
