/** Whole numbers that a stage takes memory or years by have a bound, which is checked before anything else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { StageSchema } from '../src/config.ts'
import { GenerateConfig } from '../src/images/generate.ts'
import { BestOfNConfig } from '../src/policy/best-of-n.ts'
import { DpokConfig } from '../src/policy/train-dpok.ts'
import { RewardWeightedConfig } from '../src/policy/train-reward-weighted.ts'
import { ReportConfig } from '../src/report/report-config.ts'
import { RewardTrainConfig } from '../src/reward/training/train.ts'
import { DemoConfig } from '../src/shapes/demo.ts'
import { PretrainConfig } from '../src/shapes/pretrain-command.ts'

/** These neither take memory nor make a run longer. */
const free = ['seed', 'checkpointEvery', 'sampleEvery', 'maxTrainSamples', 'resolution']

const stages: Readonly<Record<string, StageSchema>> = {
  'images generate': GenerateConfig,
  'reward train': RewardTrainConfig,
  'policy best-of-n': BestOfNConfig,
  'policy reward-weighted': RewardWeightedConfig,
  'policy dpok': DpokConfig,
  report: ReportConfig,
  pretrain: PretrainConfig,
  demo: DemoConfig,
}

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
