/** `policy export`: the adapters of a policy as a file for other programs. */
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { loraScaleField, modelFields, type Open } from '../images/open-model.ts'
import { writeLora } from '../networks/checkpoint/lora-file.ts'
import { openChange, provenanceOf } from './policy-file.ts'

export const PolicyExportConfig = z.strictObject({
  policy: z
    .string()
    .min(1)
    .describe('Run of `policy dpok` or `policy reward-weighted`, or a LoRA file of either form.'),
  form: z
    .enum(['diffusers', 'kohya'])
    .default('kohya')
    .describe('diffusers: lora_A and lora_B by module, as runs write it; kohya: lora_down, lora_up and alpha.'),
  ...loraScaleField,
  ...modelFields,
  out: z.string().min(1).endsWith('.safetensors').describe('File to write, *.safetensors.'),
})
export type PolicyExportConfig = z.infer<typeof PolicyExportConfig>

/**
 * @returns the path that was written
 * @throws {ConfigError} a policy without adapters
 * @throws {FileError | FormatError} no policy, or one of another model
 */
export async function exportPolicy(config: PolicyExportConfig, open: Open): Promise<string> {
  const { model } = await open(config)
  const { file, change } = openChange(model, config.policy, config)
  if (change.adapters === undefined || change.adapters.size === 0) {
    throw new ConfigError({
      where: '--policy',
      expected: 'a policy made of low-rank adapters',
      received: `${file}, whose parameters were trained themselves`,
      remedy: 'train with --parameters lora',
    })
  }
  writeLora(config.out, change.adapters, config.form, provenanceOf(file))
  return config.out
}
