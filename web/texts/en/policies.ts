/** Policies by name, and as files for other programs. */
export const policies = {
  pretrained: 'pre-trained model',
  uploaded: 'uploaded',
  download: 'Download the policy',
  downloadNamed: (name: string) => `Download the policy ${name}`,
  lora: (form: string) => `LoRA, ${form}`,
  loraNamed: (form: string, name: string) => `LoRA, ${form}: download ${name}`,
  goodFor: {
    diffusers: 'For diffusers and Python',
    kohya: 'For kohya’s scripts, web interfaces and ComfyUI',
  },
}
