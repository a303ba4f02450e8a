/** Executed as a process of its own, since the stages reach libtorch: prints their flags and schemas as JSON. */
import { z } from 'zod'
import { flagsOf, type StageSchema } from '../../config.ts'
import { GenerateConfig } from '../../images/generate-images.ts'
import { policySchema } from '../../policy/train-policy.ts'
import { ReportConfig } from '../../report/report-config.ts'
import { RewardTrainConfig } from '../../reward/training/reward-train-config.ts'
import { policyStages, type FormStage, type PolicyStage } from '../../stages.ts'

const policies = await Promise.all(
  policyStages.map(async (stage): Promise<[PolicyStage, StageSchema]> => [stage, await policySchema(stage)]),
)
const schemas: Readonly<Record<FormStage, StageSchema>> = {
  'images generate': GenerateConfig,
  'reward train': RewardTrainConfig,
  ...(Object.fromEntries(policies) as Record<PolicyStage, StageSchema>),
  report: ReportConfig,
}
const told = Object.entries(schemas).map(([stage, schema]) => [
  stage,
  { flags: flagsOf(schema), schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) },
])
process.stdout.write(JSON.stringify(Object.fromEntries(told)))
