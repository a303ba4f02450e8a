/** Executed as a process of its own, since the stages reach libtorch: prints their flags and schemas as JSON. */
import { z } from 'zod'
import { flagsOf, type StageSchema } from '../../config.ts'
import { GenerateConfig } from '../../images/generate.ts'
import { DpokConfig } from '../../policy/train-dpok.ts'
import { RewardWeightedConfig } from '../../policy/train-reward-weighted.ts'
import { ReportConfig } from '../../report/report-config.ts'
import { RewardTrainConfig } from '../../reward/training/train.ts'
import type { FormStage } from '../../stages.ts'

const schemas: Readonly<Record<FormStage, StageSchema>> = {
  'images generate': GenerateConfig,
  'reward train': RewardTrainConfig,
  'policy reward-weighted': RewardWeightedConfig,
  'policy dpok': DpokConfig,
  report: ReportConfig,
}
const told = Object.entries(schemas).map(([stage, schema]) => [
  stage,
  { flags: flagsOf(schema), schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) },
])
process.stdout.write(JSON.stringify(Object.fromEntries(told)))
