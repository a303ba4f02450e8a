/** What a file of tensors is that was taken for something else: told by the names of its tensors. */

/** The first pattern that one of the names matches tells the kind. */
const kinds = [
  [
    'a LoRA',
    /\.lora_(?:A|B|up|down|mid)\b|\.lora\.(?:up|down)\.|_lora\.(?:up|down)\.|^(?:lora|lycoris)_|\.(?:hada_w|lokr_w)\d|\.dora_scale$/,
  ],
  ['a model of the kind of FLUX', /(?:^|\.)double_blocks\.\d/],
  ['Stable Diffusion 3', /(?:^|\.)joint_blocks\.\d/],
  ['a ControlNet', /^control_model\.|^input_hint_block\.|^controlnet_(?:cond_embedding|down_blocks)\./],
  ['a motion module of AnimateDiff', /(?:^|\.)motion_modules\.\d/],
  ['an adapter for images as prompts', /^(?:ip_adapter|image_proj)\./],
  ['a whole checkpoint', /^model\.diffusion_model\.input_blocks\.0\.0\.weight$/],
  ['the averages of training (EMA) alone', /^model_ema\./],
  ['words learned by textual inversion', /^emb_params$|(?:^|\.)string_to_param\b|^clip_[lg]$|^<.+>$/],
  ['ImageReward', /^blip\.text_encoder\./],
  ['an upscaler', /^(?:model\.\d+|conv_first|params(?:_ema)?)\./],
  ['a denoiser in diffusers’ names, alone', /^(?:down_blocks|mid_block|up_blocks|unet)\./],
  ['a denoiser alone', /^(?:diffusion_model\.)?input_blocks\.\d/],
  ['an autoencoder alone', /^(?:first_stage_model\.)?(?:en|de)coder\./],
  ['a text encoder alone', /^(?:text_model|transformer\.resblocks|cond_stage_model)\./],
] as const
export type KindOfTensors = (typeof kinds)[number][0]

/** @returns undefined where the names say nothing */
export function kindOfTensors(names: Iterable<string>): KindOfTensors | undefined {
  const all = [...names]
  return kinds.find(([, pattern]) => all.some((name) => pattern.test(name)))?.[0]
}

/** What to say of tensors: their kind, or else the first of them. */
export function describeTensors(names: Iterable<string>): string {
  const [first, ...others] = names
  if (first === undefined) return 'a file without tensors'
  return kindOfTensors([first, ...others]) ?? `${first}${others.length > 0 ? ', …' : ''}`
}
