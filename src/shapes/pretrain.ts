/** `pretrain`: makes the weights that come with Attune, the parts side by side in processes of their own. */
import { mkdirSync } from 'node:fs'
import { z } from 'zod'
import { runTasks } from '../child-processes.ts'
import { optionalCount } from '../config-fields.ts'
import { writing } from '../run.ts'
import { scriptBeside } from '../script-beside.ts'
import type { PretrainTask } from './pretrain-part.ts'

/** The longest first: the other two fit beside it. */
const parts = [
  { part: 'generator', steps: 6000, batchSize: 96 },
  { part: 'clip', steps: 2000, batchSize: 256 },
  { part: 'features', steps: 1000, batchSize: 128 },
] as const

export const PretrainConfig = z.strictObject({
  part: z.enum(['all', 'generator', 'clip', 'features']).default('all').describe('Which network is trained.'),
  steps: optionalCount(100_000_000).describe(
    'Updates, of which a hundred million take years; without it 6000, 2000 and 1000.',
  ),
  batchSize: z
    .int()
    .min(2)
    .max(4096)
    .nullable()
    .default(null)
    .describe('Images per update, all in memory; without it 96, 256 and 128.'),
  seed: z.int().nonnegative().default(1).describe('Seed of everything that is random.'),
  processes: z.int().positive().max(1024).default(2).describe('Processes at once; one a core is the fastest.'),
  threads: z
    .int()
    .positive()
    .max(1024)
    .default(1)
    .describe('Threads of each process; another number changes the last bits.'),
  out: z.string().min(1).default('weights').describe('Folder for generator, clip and features.safetensors.'),
})
export type PretrainConfig = z.infer<typeof PretrainConfig>

const partsFile = scriptBeside(import.meta.url, './pretrain-part')

/**
 * Trains one part or all of them.
 *
 * @returns the files of weights
 * @throws {ProcessError} a part did not come to its end
 */
export async function pretrain(config: PretrainConfig): Promise<string[]> {
  const { seed, threads, out } = config
  writing(out, () => mkdirSync(out, { recursive: true }))
  const tasks = parts
    .filter(({ part }) => config.part === 'all' || config.part === part)
    .map((own): PretrainTask => ({
      part: own.part,
      seed,
      steps: config.steps ?? own.steps,
      batchSize: config.batchSize ?? own.batchSize,
      threads,
      out,
    }))
  const trained = await runTasks<PretrainTask, string>(partsFile, tasks, { atOnce: config.processes })
  return trained.map(({ result }) => result)
}
