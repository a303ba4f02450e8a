/** Finished runs as their stages write them, without the training: a reward, a policy of adapters, a report on it. */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { writeLora } from '../networks/checkpoint/lora-file.ts'
import { Report } from '../report/schema.ts'
import { loraFileName, reportFiguresName, reportPageName } from '../run-files.ts'
import { startRun } from '../run.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { tensorScope } from '../tensor/scope.ts'

export function addReward(folder: string): void {
  using run = startRun({ folder, stage: 'reward train', config: {}, parents: {} })
  run.finish({
    ...{ labels: 60, comparisons: 0, prompts: 12, raters: 2, simulated: false, encoder: { name: 'clip' }, head: 'mlp' },
    heldOut: { n: 20, prompts: 3, accuracy: 0.7, auc: 0.8, aucInterval: [0.6, 0.9], clipScoreAuc: 0.5, ece: 0.1 },
  })
}

/** Of the tiny Stable Diffusion of the fixtures: rank 2 on two layers. */
export function addTrainedPolicy(
  folder: string,
  { reward, model }: { readonly reward: string; readonly model: string },
): void {
  using run = startRun({
    folder,
    stage: 'policy dpok',
    config: { model, reward, klWeight: 0.01, rank: 2, loraLayers: ['attention'] },
    parents: { reward },
  })
  using _scope = tensorScope()
  const layer = 'unet.mid_block.attentions.0.transformer_blocks.0.attn2'
  const adapters = new Map(
    [`${layer}.to_q.weight`, `${layer}.to_v.weight`].map((name, i) => {
      const width = i === 0 ? 32 : 24
      const [down, up] = [randn([2, width], new Generator(i)), randn([32, 2], new Generator(i + 2))]
      return [name, { down, up, scale: 1 }] as const
    }),
  )
  writeLora(run.path(loraFileName), adapters, 'diffusers', {
    'attune.model': model,
    'attune.modelSha256': 'a'.repeat(64),
    'attune.reward': reward,
    'attune.algorithm': 'dpok',
  })
  run.finish({ imagesDrawn: 96, updates: 12, seconds: 30, modelSha256: 'a'.repeat(64) })
}

/** Only what the page of a report lacks is not in it. */
export function addReport(folder: string, policy: string): void {
  using run = startRun({ folder, stage: 'report', config: {}, parents: { [`policy ${basename(policy)}`]: policy } })
  const ends = (mean: number, apart = 0.1) => ({ mean, low: mean - apart, high: mean + apart })
  const split = (alignment: number, difference: number) => ({
    ...{ n: 40, measuredBy: 'reward', alignment: ends(alignment), byCategory: {} },
    differenceToBase: ends(difference, difference === 0 ? 0 : 0.1),
  })
  const policyReport = (name: string, alignment: number) => ({
    ...{ name, imagesDrawn: 0, updates: 0, seconds: 0, klNats: ends(0, 0), meanReward: ends(alignment) },
    fidelity: { frechet: 1, low: 0.5, high: 1.5, validShare: null },
    diversity: ends(0.5),
    seen: split(alignment, alignment - 0.5),
    unseen: split(alignment, alignment - 0.5),
  })
  const report = Report.parse({
    ...{ schema: 1, seconds: 1, machine: 'a machine', torch: '2.13.0', reward: null },
    policies: [policyReport('base', 0.5), policyReport(basename(policy), 0.6)],
  })
  writeFileSync(run.path(reportFiguresName), JSON.stringify(report))
  writeFileSync(run.path(reportPageName), '<!doctype html><title>Report</title>')
  run.finish({})
}
