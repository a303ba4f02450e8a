/** Whole numbers that a stage takes memory or years by have a bound, which is checked before anything else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { CheckConfig } from '../src/check/run-check.ts'
import type { StageSchema } from '../src/config.ts'
import { GenerateConfig } from '../src/images/generate-images.ts'
import { BestOfNConfig } from '../src/policy/choose-best-of-n.ts'
import { policySchema } from '../src/policy/train-policy.ts'
import { ReportConfig } from '../src/report/report-config.ts'
import { RewardTrainConfig } from '../src/reward/training/reward-train-config.ts'
import { DemoConfig } from '../src/shapes/run-demo.ts'
import { StudyConfig } from '../src/study/run-study.ts'
import { PretrainConfig } from '../src/shapes/pretrain.ts'
import { policyStages } from '../src/stages.ts'

/** These neither take memory nor make a run longer. */
const free = ['seed', 'checkpointEvery', 'sampleEvery', 'maxTrainSamples', 'resolution']

const stages: Record<string, StageSchema> = {
  'images generate': GenerateConfig,
  'reward train': RewardTrainConfig,
  'policy best-of-n': BestOfNConfig,
  report: ReportConfig,
  pretrain: PretrainConfig,
  demo: DemoConfig,
  study: StudyConfig,
  check: CheckConfig,
}

for (const stage of policyStages) stages[stage] = await policySchema(stage)

for (const [stage, schema] of Object.entries(stages)) {
  test(`${stage}: no count is without a bound`, () => {
    interface Property {
      readonly type?: string
      readonly anyOf?: readonly Property[]
    }
    const { properties } = z.toJSONSchema(schema, { io: 'input' }) as { properties: Record<string, Property> }
    const counts = Object.entries(properties)
      .filter(([, one]) => [one, ...(one.anyOf ?? [])].some(({ type }) => type === 'integer'))
      .map(([field]) => field)
      .filter((field) => !free.includes(field))
    for (const field of counts) {
      const { issues } = schema.safeParse({ [field]: 1e9 }).error!
      assert.ok(
        issues.some(({ code, path }) => code === 'too_big' && path[0] === field),
        field,
      )
    }
  })
}
