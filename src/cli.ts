/**
 * The command line: a table of contents, one command per stage in the order of the flow. A stage's file is loaded when it
 * is called, so `--help` and the feedback commands start at once.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { z } from 'zod'
import { made } from '../scripts/setup/places.mjs'
import { main, stageCommand } from './command-line.ts'
import type { StageSchema } from './config.ts'
import { ConfigError } from './errors.ts'
import type { ImportCounts } from './feedback/transfer.ts'
import { importLimits, isLimited, runLimitedCommand } from './limited-process.ts'
import { launch, LaunchConfig, partLaunch } from './launch.ts'
import { inspect, open, probeOf, reportWorld } from './open.ts'
import { endWithParent } from './parent-watch.ts'
import { groupFromEnvironment, placeVariables } from './place-in-group.ts'
import { reportPageName } from './run-files.ts'
import { scriptBeside } from './script-beside.ts'
import { factsOf, policyStages, stages } from './stages.ts'
import type { Group } from './tensor/group.ts'
import { endInOrder } from './tensor/orderly-end.ts'

interface Stage {
  readonly name: string
  readonly description: string
  readonly load: () => Promise<Loaded>
}
type Loaded = (program: Command, stage: Stage) => Command

/** A stage's schema and its work, which returns the path that it wrote; `positional` fields need no flag. */
function stage<S extends StageSchema>(
  schema: S,
  work: (config: z.output<S>) => Promise<string>,
  ...positional: readonly (keyof z.output<S> & string)[]
): Loaded {
  const print = async (config: z.output<S>) => {
    process.stdout.write(`${await work(config)}\n`)
  }
  return (program, { name, description }) => stageCommand(program, name, description, schema, print, positional)
}

/** A stage whose work can be shared by the processes of a group; the environment tells which of them this one is. */
function groupStage<S extends StageSchema>(
  schema: S,
  work: (config: z.output<S>, group: Group) => Promise<string>,
): Loaded {
  const run = async (config: z.output<S>) => {
    const place = groupFromEnvironment(process.env)
    // What this process starts in its turn is none of the group.
    for (const name of placeVariables) delete process.env[name]
    const { joinGroup } = await import('./tensor/group.ts')
    using group = joinGroup(place)
    try {
      const made = await work(config, group)
      group.barrier()
      if (group.rank === 0) process.stdout.write(`${made}\n`)
    } catch (error) {
      group.abort(error instanceof Error ? error.message : String(error))
      throw error
    }
  }
  return (program, { name, description }) => stageCommand(program, name, description, schema, run)
}

/** What the child of a limited stage, or those of a launch, ended with. */
let childCode = 0

/**
 * A stage that reads files of strangers: it runs in a process of its own, within limits.
 *
 * @param of the file that is read, and what is removed again where its reading had to be ended
 */
function limitedStage<S extends StageSchema>(
  schema: S,
  work: (config: z.output<S>) => Promise<string>,
  of: (config: z.output<S>) => { readonly file: string; readonly made: readonly string[] },
): Loaded {
  const run = async (config: z.output<S>) => {
    if (isLimited()) return void process.stdout.write(`${await work(config)}\n`)
    const { file, made } = of(config)
    const options = { where: file, made, limits: importLimits(file) }
    childCode = await runLimitedCommand(new URL(import.meta.url), process.argv.slice(2), options)
  }
  return (program, { name, description }) => stageCommand(program, name, description, schema, run)
}

const note = (text: string) => process.stderr.write(`${text}\n`)
function told({ added, known, unanswered, images, leftOut }: ImportCounts): void {
  note(
    `feedback: ${added} judgments added, ${known} known before, ${unanswered} rows without an answer` +
      (images > 0 ? `, ${images} new images` : ''),
  )
  for (const line of leftOut) note(`feedback: left out ${line}`)
}

const commands: readonly Stage[] = [
  {
    name: 'setup',
    description: 'Set up what is missing on this machine: libtorch and the compiled add-on.',
    load: async () => {
      const { setUp } = await import('./set-up.ts')
      return stage(z.strictObject({}), setUp)
    },
  },
  {
    name: 'check',
    description: 'Try out this machine: what there is, what fits, and whether a reward rises in two minutes.',
    load: async () => {
      const { CheckConfig, runCheck } = await import('./check/run-check.ts')
      return (program, { name, description }) =>
        stageCommand(program, name, description, CheckConfig, (config) =>
          runCheck(config, scriptBeside(import.meta.url, './check-tasks'), (line) => process.stdout.write(`${line}\n`)),
        )
    },
  },
  {
    name: 'demo',
    description: 'Run the whole loop on the embedded model and write a report.',
    load: async () => {
      const { DemoConfig, runDemo } = await import('./shapes/run-demo.ts')
      return stage(DemoConfig, (config) => runDemo(config, reportWorld))
    },
  },
  {
    name: 'study',
    description:
      'Repeat the papers’ analyses on the embedded model over seeds, and say which claims the figures support.',
    load: async () => {
      const { StudyConfig, runStudy } = await import('./study/run-study.ts')
      return stage(StudyConfig, runStudy)
    },
  },
  {
    name: 'studio',
    description: 'Open the whole loop in a browser: label, train, compare.',
    load: async () => {
      const [{ StudioConfig }, { runStudio }] = await Promise.all([
        import('./studio/start-studio.ts'),
        import('./studio/run-studio.ts'),
      ])
      return stage(StudioConfig, runStudio)
    },
  },
  {
    name: 'studio invite',
    description: 'Make a link by which somebody comes into a studio that asks for accounts, at any time.',
    load: async () => {
      const { InviteConfig, inviteToStudio } = await import('./studio/invite-to-studio.ts')
      return stage(InviteConfig, inviteToStudio)
    },
  },
  {
    name: 'studio backup',
    description: 'Write all of a studio to one file, while people label or not.',
    load: async () => {
      const { BackupConfig, backUpStudio } = await import('./studio/backup/backup-studio.ts')
      return stage(BackupConfig, backUpStudio, 'file')
    },
  },
  {
    name: 'studio restore',
    description: 'Make a studio anew from a backup, with SQLite or PostgreSQL, whichever it had.',
    load: async () => {
      const { RestoreConfig, restoreStudio } = await import('./studio/backup/restore-studio.ts')
      return stage(RestoreConfig, restoreStudio, 'file')
    },
  },
  {
    name: 'pretrain',
    description: 'Make the weights of the embedded model that come with Attune.',
    load: async () => {
      const { PretrainConfig, pretrain } = await import('./shapes/pretrain.ts')
      return stage(PretrainConfig, async (config) => (await pretrain(config)).join('\n'))
    },
  },
  {
    name: 'launch',
    description: 'Run a stage in several processes that work as one, on this machine or on several.',
    load: () =>
      Promise.resolve((program, { name, description }) =>
        stageCommand(program, name, description, LaunchConfig, launchStage).usage('[options] <stage> [its options]'),
      ),
  },
  {
    name: 'model inspect',
    description: 'Say what a checkpoint is, what it takes, and what Attune can do with it.',
    load: async () => {
      const { InspectConfig } = await import('./networks/inspect-model.ts')
      return stage(InspectConfig, inspect, 'model')
    },
  },
  {
    name: 'model fetch',
    description: 'Download a checkpoint into the Hugging Face cache.',
    load: async () => {
      const { FetchConfig, fetchModel } = await import('./networks/checkpoint/fetch-model.ts')
      return stage(FetchConfig, fetchModel, 'model')
    },
  },
  {
    name: 'images generate',
    description: stages['images generate'].sentence,
    load: async () => {
      const { GenerateConfig, generateImages } = await import('./images/generate-images.ts')
      return groupStage(GenerateConfig, async (config, group) => {
        await generateImages(config, open, group)
        return config.out
      })
    },
  },
  {
    name: 'images upload',
    description: stages['images upload'].sentence,
    load: async () => {
      const { UploadConfig, uploadImages } = await import('./feedback/upload-images.ts')
      const { shapesWorld } = await import('./shapes/world.ts')
      const vocabularyOf = (model: string) => (shapesWorld.models.includes(model) ? shapesWorld.vocabulary : undefined)
      return limitedStage(
        UploadConfig,
        async (config) => {
          const { added, known } = await uploadImages(config, vocabularyOf)
          note(`images: ${added} new, ${known} known before`)
          return added > 0 ? config.out : config.feedback
        },
        ({ folder, feedback, out }) => ({ file: folder, made: [feedback, out] }),
      )
    },
  },
  {
    name: 'feedback sheet',
    description: 'Make numbered contact sheets to judge images by eye.',
    load: async () => {
      const { SheetConfig, makeSheets } = await import('./feedback/make-sheets.ts')
      return stage(SheetConfig, async (config) => (await makeSheets(config)).join('\n'))
    },
  },
  {
    name: 'feedback import',
    description: 'Add judgments of people to the feedback store.',
    load: async () => {
      const { ImportConfig, importLabels } = await import('./feedback/import-labels.ts')
      return limitedStage(
        ImportConfig,
        async (config) => {
          await importLabels(config, told)
          return config.feedback
        },
        ({ labels, feedback, out }) => ({ file: labels, made: [feedback, ...(out === null ? [] : [out])] }),
      )
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
      const { ExportConfig, exportLabels } = await import('./feedback/export-labels.ts')
      return stage(ExportConfig, async (config) => {
        const { rows, leftOut } = await exportLabels(config)
        const others = Object.entries(leftOut).map(([kind, count]) => `${count} ${kind}`)
        note(`feedback: ${rows} rows${others.length > 0 ? `; left out: ${others.join(', ')}` : ''}`)
        return config.out
      })
    },
  },
  {
    name: 'reward train',
    description: stages['reward train'].sentence,
    load: async () => {
      const { RewardTrainConfig } = await import('./reward/training/reward-train-config.ts')
      const { trainReward } = await import('./reward/training/train-reward.ts')
      return groupStage(RewardTrainConfig, async (config, group) => {
        await trainReward(config, open, group)
        return config.out
      })
    },
  },
  {
    name: 'reward serve',
    description: 'Let other programs score images by a reward, over HTTP.',
    load: async () => {
      const { ServeConfig, serveReward } = await import('./reward/http/serve-reward.ts')
      return stage(ServeConfig, (config) => serveReward(config, open))
    },
  },
  {
    name: 'policy best-of-n',
    description: stages['policy best-of-n'].sentence,
    load: async () => {
      const { BestOfNConfig, chooseBestOfN } = await import('./policy/choose-best-of-n.ts')
      return groupStage(BestOfNConfig, async (config, group) => {
        await chooseBestOfN(config, open, group)
        return config.out
      })
    },
  },
  ...policyStages.map((name): Stage => ({
    name,
    description: stages[name].sentence,
    load: async () => {
      const { policySchema, trainPolicy } = await import('./policy/train-policy.ts')
      const kind = factsOf(name)?.isShared ? groupStage : stage
      return kind(await policySchema(name), async (config, group?: Group) => {
        await trainPolicy(name, config, open, { judge: await probeOf(config.model), group })
        return config.out
      })
    },
  })),
  {
    name: 'policy export',
    description: 'Write a policy for diffusers or for kohya’s scripts, with its model card.',
    load: async () => {
      const { PolicyExportConfig, exportPolicy } = await import('./publish/export-policy.ts')
      return stage(PolicyExportConfig, (config) => exportPolicy(config, open))
    },
  },
  {
    name: 'policy publish',
    description: 'Send a policy with its model card to a model hub, once you have said yes.',
    load: async () => {
      const { PublishConfig, publishPolicy } = await import('./publish/publish-policy.ts')
      return stage(PublishConfig, (config) => publishPolicy(config, open), 'policy', 'repository')
    },
  },
  {
    name: 'report',
    description: stages.report.sentence,
    load: async () => {
      const { makeReport } = await import('./report/make-report.ts')
      const { ReportConfig } = await import('./report/report-config.ts')
      return groupStage(ReportConfig, async (config, group) => {
        await makeReport(config, reportWorld, {}, group)
        return `${config.out}/${reportPageName}`
      })
    },
  },
]

async function launchStage(config: z.output<typeof LaunchConfig>): Promise<void> {
  const shared = commands.map(({ name }) => name).filter((name) => factsOf(name)?.isShared)
  const name = shared.find((one) => one.split(' ').every((word, i) => word === launched[i]))
  if (name === undefined) {
    throw new ConfigError({
      where: 'launch',
      expected: `a stage that computes with a model: ${shared.join(', ')}`,
      received: launched.slice(0, 2).join(' ') || 'nothing',
      remedy: 'write it with its flags behind those of launch: attune launch --processes 2 images generate …',
    })
  }
  childCode = await launch(config, { script: fileURLToPath(import.meta.url), command: launched })
}

endWithParent()
endInOrder()
// Halves what a stage needs before it begins: its files are read as they were compiled at an earlier start.
enableCompileCache(join(made, 'compile-cache'))

const program = new Command('attune').description('Learning from human feedback for text-to-image models.')
const isLaunch = process.argv[2] === 'launch'
const { own, command: launched } = partLaunch(isLaunch ? process.argv.slice(3) : [])
const argv = isLaunch ? ['launch', ...own] : process.argv.slice(2)
const words = argv.filter((word) => word !== 'help' && !word.startsWith('-'))
for (const one of commands) {
  const isCalled = one.name.split(' ').every((word, i) => word === words[i])
  if (isCalled) (await one.load())(program, one)
  else stageCommand(program, one.name, one.description, z.strictObject({}), () => undefined)
}
process.exitCode = Math.max(await main(program, argv), childCode)
