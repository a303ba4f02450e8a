import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flagsOf } from './config.ts'
import { SheetConfig } from './feedback/make-sheets.ts'
import { insteadOf } from './foreign-flags.ts'
import { GenerateConfig } from './images/generate-images.ts'
import { policySchema } from './policy/train-policy.ts'
import { ReportConfig } from './report/report-config.ts'
import { RewardTrainConfig } from './reward/training/reward-train-config.ts'

const stages = {
  draw: GenerateConfig,
  dpok: await policySchema('policy dpok'),
  weighted: await policySchema('policy reward-weighted'),
  reward: RewardTrainConfig,
  report: ReportConfig,
  sheet: SheetConfig,
}
const known = (stage: keyof typeof stages) => flagsOf(stages[stage]).map(({ flag }) => flag)

test('flags of other programs are told by ours, for each command', () => {
  for (const [stage, theirs, ours] of [
    ['draw', '--num_inference_steps=20', '--steps'],
    ['draw', '--guidance-scale', '--guidance'],
    ['draw', '--num-images-per-prompt', '--per-prompt'],
    ['report', '--num-images-per-prompt', '--images-per-prompt'],
    ['draw', '--pretrained_model_name_or_path', '--model'],
    ['weighted', '--pretrained-model-name-or-path', '--model'],
    ['dpok', '--output-dir', '--out'],
    ['weighted', '--max-train-steps', '--updates'],
    ['dpok', '--max-train-steps', '--images-drawn'],
    ['reward', '--num-train-epochs', '--epochs'],
    ['weighted', '--train-batch-size', '--batch-size'],
    ['weighted', '--checkpointing-steps', '--checkpoint-every'],
    ['weighted', '--checkpoints_total_limit', '--checkpoints-kept'],
    ['dpok', '--resume-from-checkpoint', '--resume'],
    ['dpok', '--config.sample.num_steps', '--steps'],
    ['dpok', 'train.clip_range', '--clip-range'],
    ['dpok', '--p_step', '--gradient-steps'],
    ['dpok', '--g-batch-size', '--rollouts-per-iteration'],
    ['dpok', '--sft-path', '--policy'],
    ['dpok', '--v_lr', '--value-learning-rate'],
    ['draw', 'guidanceScale', '--guidance'],
    ['draw', '--height', '--resolution'],
    ['draw', '--W', '--resolution'],
    ['draw', '--scheduler', '--eta'],
    ['report', '--lora_weight', '--lora-scale'],
    ['sheet', '--scale', '--thumbnail-size'],
  ] as const) {
    assert.match(insteadOf(theirs, known(stage)) ?? '', new RegExp(`did you mean ${ours}\\?`), `${stage} ${theirs}`)
  }
  assert.match(insteadOf('--report_to', known('dpok')) ?? '', /TensorBoard/)
  assert.equal(insteadOf('--adam-weight-decay', known('sheet')), undefined)
  // Ours that sounds alike means something else.
  assert.equal(insteadOf('--max-train-steps', known('draw')), undefined)
  assert.equal(insteadOf('--num-images-per-prompt', known('dpok')), undefined)
  assert.equal(insteadOf('--nonsense', known('draw')), undefined)
})
