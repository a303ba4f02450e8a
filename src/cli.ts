/**
 * The command line: a table of contents, one command per stage in the order of the flow. A stage's file is loaded when it
 * is called, so `--help` and the feedback commands start at once.
 */
import { Command } from 'commander'
import { z } from 'zod'
import { main, stageCommand } from './command-line.ts'
import type { StageSchema } from './config.ts'
import { ConfigError } from './errors.ts'
import type { Open } from './images/open-model.ts'

interface Stage {
  readonly name: string
  readonly description: string
  readonly load: () => Promise<Loaded>
}
type Loaded = (program: Command, stage: Stage) => Command

/** A stage's schema and its work, which returns the path that it wrote. */
function stage<S extends StageSchema>(schema: S, work: (config: z.output<S>) => Promise<string>): Loaded {
  return (program, { name, description }) =>
    stageCommand(program, name, description, schema, async (config) => {
      process.stdout.write(`${await work(config)}\n`)
    })
}

/** Opens a model by name; see {@link Open}. */
const open: Open = async (name, policyRun = null) => {
  if (name !== 'shapes') {
    throw new ConfigError({
      where: '--model',
      expected: 'shapes, the embedded model',
      received: name,
      remedy: 'no other model can be opened yet',
    })
  }
  const { openShapes } = await import('./shapes/open.ts')
  const opened = openShapes()
  if (policyRun === null) return { ...opened, policy: opened.model }
  const { openPolicy } = await import('./policy/open-policy.ts')
  return { ...opened, policy: opened.model.with(openPolicy(opened.model, policyRun).delta) }
}

const note = (text: string) => process.stderr.write(`${text}\n`)
const told = ({ added, known, unanswered }: { added: number; known: number; unanswered: number }) =>
  note(`feedback: ${added} judgments added, ${known} known before, ${unanswered} rows without an answer`)

const stages: readonly Stage[] = [
  {
    name: 'demo',
    description: 'Run the whole loop on the embedded model and write a report.',
    load: async () => {
      const { DemoConfig, runDemo } = await import('./shapes/demo.ts')
      return stage(DemoConfig, (config) => runDemo(config, open))
    },
  },
  {
    name: 'pretrain',
    description: 'Make the weights of the embedded model that come with Attune.',
    load: async () => {
      const { PretrainConfig, pretrain } = await import('./shapes/pretrain-command.ts')
      return stage(PretrainConfig, async (config) => (await pretrain(config)).join('\n'))
    },
  },
  {
    name: 'images generate',
    description: 'Draw images of prompts.',
    load: async () => {
      const { GenerateConfig, generateImages } = await import('./images/generate.ts')
      return stage(GenerateConfig, async (config) => {
        await generateImages(config, open)
        return config.out
      })
    },
  },
  {
    name: 'feedback sheet',
    description: 'Make numbered contact sheets to judge images by eye.',
    load: async () => {
      const { SheetConfig, makeSheets } = await import('./feedback/stages.ts')
      return stage(SheetConfig, async (config) => (await makeSheets(config)).join('\n'))
    },
  },
  {
    name: 'feedback import',
    description: 'Add judgments of people to the feedback store.',
    load: async () => {
      const { ImportConfig, importLabels } = await import('./feedback/stages.ts')
      return stage(ImportConfig, async (config) => {
        told(await importLabels(config))
        return config.feedback
      })
    },
  },
  {
    name: 'feedback simulate',
    description: 'Let a simulated rater judge images of the embedded world.',
    load: async () => {
      const { SimulateConfig, simulateFeedback } = await import('./shapes/simulate-feedback.ts')
      return stage(SimulateConfig, async (config) => {
        told(await simulateFeedback(config))
        return config.feedback
      })
    },
  },
  {
    name: 'feedback export',
    description: 'Write all judgments of the feedback store to a file.',
    load: async () => {
      const { ExportConfig, exportLabels } = await import('./feedback/stages.ts')
      return stage(ExportConfig, async (config) => {
        note(`feedback: ${await exportLabels(config)} rows`)
        return config.out
      })
    },
  },
  {
    name: 'reward train',
    description: 'Learn a reward from the judgments.',
    load: async () => {
      const { RewardTrainConfig, trainReward } = await import('./reward/train.ts')
      return stage(RewardTrainConfig, async (config) => {
        await trainReward(config, open)
        return config.out
      })
    },
  },
  {
    name: 'policy best-of-n',
    description: 'Pick the best of each n images by the reward.',
    load: async () => {
      const { BestOfNConfig, chooseBestOfN } = await import('./policy/best-of-n.ts')
      return stage(BestOfNConfig, async (config) => {
        await chooseBestOfN(config, open)
        return config.out
      })
    },
  },
  {
    name: 'policy reward-weighted',
    description: 'Fine-tune on generated images weighted by the reward (Lee et al. 2023).',
    load: async () => {
      const { RewardWeightedConfig, trainRewardWeighted } = await import('./policy/train-reward-weighted.ts')
      return stage(RewardWeightedConfig, async (config) => {
        await trainRewardWeighted(config, open)
        return config.out
      })
    },
  },
  {
    name: 'policy dpok',
    description: 'Fine-tune online on the reward with a KL to the pre-trained model (Fan et al. 2023).',
    load: async () => {
      const { DpokConfig, trainDpok } = await import('./policy/train-dpok.ts')
      return stage(DpokConfig, async (config) => {
        await trainDpok(config, open)
        return config.out
      })
    },
  },
  {
    name: 'report',
    description: 'Measure policies of the embedded world and write report.html and report.json.',
    load: async () => {
      const { ReportConfig, makeReport } = await import('./shapes/report-command.ts')
      return stage(ReportConfig, async (config) => {
        await makeReport(config, open)
        return `${config.out}/report.html`
      })
    },
  },
]

const program = new Command('attune').description('Learning from human feedback for text-to-image models.')
const words = process.argv.slice(2).filter((word) => word !== 'help' && !word.startsWith('-'))
for (const one of stages) {
  const isCalled = one.name.split(' ').every((word, i) => word === words[i])
  if (isCalled) (await one.load())(program, one)
  else stageCommand(program, one.name, one.description, z.strictObject({}), () => undefined)
}
process.exitCode = await main(program)
