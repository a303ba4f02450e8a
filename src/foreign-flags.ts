/**
 * What other programs of this field call the flags of Attune: diffusers' scripts and pipelines, the public code of DPOK,
 * ddpo-pytorch and its kin, and version 0.1 of Attune itself. They are no aliases, since the meaning is not always the same:
 * an error tells our name.
 */

interface Ours {
  /** Our flags, without dashes; the first one that the command has is meant. */
  readonly flags?: readonly string[]
  /** What to know of it, or what there is in its place. */
  readonly note?: string
}

const training = ['updates', 'images-drawn', 'epochs']
const groups: readonly (Ours & { readonly theirs: string })[] = [
  {
    theirs:
      'pretrained-model-name-or-path pretrained-model model-name-or-path model-path model-id base-model ckpt checkpoint pretrained.model',
    flags: ['model'],
  },
  { theirs: 'revision variant', note: 'model fetch takes it' },
  { theirs: 'output-dir out-dir outdir output output-path save-dir save-path run-name', flags: ['out'] },
  {
    theirs: 'logging-dir logdir log-dir report-to',
    note: 'metrics.jsonl and TensorBoard’s events lie in the folder of --out',
  },
  { theirs: 'cache-dir', note: 'HF_HOME or HF_HUB_CACHE names the cache' },
  {
    theirs: 'dataset-name dataset train-data',
    flags: ['train-data-dir', 'folder', 'images'],
    note: 'a folder on this machine',
  },
  {
    theirs:
      'num-inference-steps inference-steps sampling-steps num-sampling-steps sample-steps ddim-steps num-steps sample.num-steps',
    flags: ['steps'],
  },
  { theirs: 'guidance-scale cfg cfg-scale guidance-weight gs sample.guidance-scale', flags: ['guidance'] },
  { theirs: 'ddim-eta sample.eta', flags: ['eta'] },
  { theirs: 'use-ema ema', flags: ['ema-decay'], note: 'a decay, as 0.999' },
  {
    theirs: 'scheduler sampler sampler-name scheduler-type solver plms dpm-solver',
    flags: ['eta'],
    note: '0 is DDIM, 1 draws as DDPM',
  },
  { theirs: 'lora-weight lora-strength lora-multiplier adapter-weight adapter-scale', flags: ['lora-scale'] },
  {
    theirs: 'num-images-per-prompt images-per-prompt num-images n-samples num-samples n-iter',
    flags: ['per-prompt', 'images-per-prompt', 'n'],
  },
  { theirs: 'width height w h image-size img-size size', flags: ['resolution'], note: 'which takes 768x512 as well' },
  { theirs: 'scale', flags: ['thumbnail-size', 'guidance'] },
  { theirs: 'negative-prompt', note: 'a line of a .jsonl of prompts may have a "negative_prompt"' },
  {
    theirs: 'prompt prompts prompt-path prompt-file prompts-file prompts-path from-file prompt-fn',
    flags: ['prompts', 'seen'],
  },
  { theirs: 'single-flag single-prompt', flags: ['prompt', 'seen'] },
  { theirs: 'prompt-category', note: 'keep the prompts of these categories in a file of their own' },
  {
    theirs: 'max-train-steps max-steps train-steps num-train-steps',
    flags: training,
    note: 'what is counted differs: see --help',
  },
  {
    theirs: 'num-train-epochs num-epochs max-epochs',
    flags: ['epochs', 'updates', 'images-drawn'],
    note: 'what is counted differs: see --help',
  },
  {
    theirs: 'train-batch-size per-device-train-batch-size eval-batch-size train.batch-size sample.batch-size',
    flags: ['batch-size'],
  },
  {
    theirs: 'gradient-accumulation-steps train.gradient-accumulation-steps',
    flags: ['gradient-accumulation-steps', 'transitions-at-once', 'batch-size'],
  },
  { theirs: 'lr unet-lr base-lr train.learning-rate', flags: ['learning-rate'] },
  { theirs: 'scale-lr lr-scheduler lr-warmup-steps lr-warmup', note: 'the rate falls linearly to zero' },
  { theirs: 'adam-weight-decay', flags: ['weight-decay'] },
  {
    theirs:
      'adam-beta1 adam-beta2 adam-epsilon use-8bit-adam snr-gamma noise-offset allow-tf32 kl-warmup train.cfg train.adv-clip-max v-batch-size',
    note: 'there is none in Attune',
  },
  { theirs: 'buffer-size reward-filter', note: 'updates use the latest roll-outs, and the reward as it is' },
  {
    theirs: 'per-prompt-stat-tracking per-prompt-stat-tracking.buffer-size per-prompt-stat-tracking.min-count',
    flags: ['prompt-memory'],
  },
  { theirs: 'num-image-per-prompt num-generations', flags: ['group-size'] },
  { theirs: 'sde-window-size', flags: ['window'] },
  { theirs: 'same-latent', flags: ['shared-noise'] },
  { theirs: 'global-std', flags: ['deviation'], note: 'batch or group' },
  { theirs: 'clip-norm clip-grad-norm grad-clip train.max-grad-norm', flags: ['max-grad-norm'] },
  { theirs: 'precision dtype torch-dtype fp16 bf16 half weight-dtype', flags: ['mixed-precision'] },
  { theirs: 'checkpointing-steps save-interval save-freq save-steps save-every', flags: ['checkpoint-every'] },
  { theirs: 'checkpoints-total-limit num-checkpoint-limit save-total-limit', flags: ['checkpoints-kept'] },
  { theirs: 'resume-from-checkpoint resume-from', flags: ['resume'], note: 'without a path: --out names the run' },
  { theirs: 'validation-prompt validation-prompts', note: 'samples are drawn of the first prompts' },
  { theirs: 'num-validation-images', flags: ['samples'] },
  { theirs: 'validation-steps validation-epochs', flags: ['sample-every'] },
  { theirs: 'lora-rank lora-r lora-dim network-dim', flags: ['rank'], note: 'with --parameters lora' },
  { theirs: 'network-alpha', flags: ['lora-alpha'] },
  { theirs: 'lora lora-path lora-weights load-lora adapter unet-path sft-initialization sft-path', flags: ['policy'] },
  { theirs: 'reward-fn reward-model', flags: ['reward'] },
  { theirs: 'clip-model clip-path', flags: ['encoder'] },
  { theirs: 'p-step train.num-inner-epochs num-inner-epochs', flags: ['gradient-steps'] },
  { theirs: 'p-batch-size train.timestep-fraction timestep-fraction', flags: ['transitions-per-rollout'] },
  {
    theirs: 'g-step g-batch-size sample.num-batches-per-epoch num-batches-per-epoch',
    flags: ['rollouts-per-iteration'],
  },
  { theirs: 'ratio-clip clip-range train.clip-range', flags: ['clip-range'], note: 'in nats of the whole image' },
  { theirs: 'beta kl-coef kl-coeff train.beta', flags: ['kl-weight'], note: 'per nat' },
  { theirs: 'v-flag', flags: ['no-value'], note: 'the value function is on without it' },
  { theirs: 'v-lr', flags: ['value-learning-rate'] },
  { theirs: 'v-step', flags: ['value-updates'] },
  { theirs: 'enable-vae-tiling', flags: ['vae-tiling'] },
  { theirs: 'gpu gpus gpu-id gpu-ids cuda', flags: ['device'] },
  { theirs: 'num-workers dataloader-num-workers num-threads', flags: ['threads'] },
  { theirs: 'image-dir images-dir image-folder images-folder', flags: ['images', 'folder'] },
  {
    theirs: 'dpok reward-weighted',
    flags: ['policies'],
    note: 'as name=folder,name2=folder2: runs of every algorithm',
  },
]

const byName = new Map(groups.flatMap(({ theirs, ...ours }) => theirs.split(' ').map((name) => [name, ours] as const)))

/**
 * What to type in place of another program's flag: `did you mean --steps?`; nothing where it is not known.
 *
 * @param name  as it was typed: `--num_inference_steps=20`, `config.sample.num_steps`, `numInferenceSteps`
 * @param known flags of the command, `--steps`
 */
export function insteadOf(name: string, known: readonly string[]): string | undefined {
  const plain = name
    .replace(/^-+/, '')
    .replace(/=.*$/s, '')
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()
    .replace(/^config\./, '')
  const ours = byName.get(plain) ?? byName.get(plain.replace(/^(sample|train)\./, ''))
  if (ours === undefined) return undefined
  const flag = ours.flags?.map((one) => `--${one}`).find((one) => known.includes(one))
  if (flag !== undefined) return `did you mean ${flag}?${ours.note === undefined ? '' : ` (${ours.note})`}`
  if (ours.flags === undefined && ours.note !== undefined) return ours.note
  return undefined
}
