/** `pretrain`: makes the weights that come with Attune, the parts side by side in processes of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { DivergenceError } from '../errors.ts'
import { writing } from '../run.ts'
import { describeLibrary, useThreads } from '../tensor/library.ts'
import { writeSafetensors } from '../tensor/safetensors.ts'
import { pretrainClip, pretrainFeatures, pretrainGenerator } from './pretrain.ts'

const parts = {
  generator: { train: pretrainGenerator, steps: 6000, batchSize: 96 },
  clip: { train: pretrainClip, steps: 2000, batchSize: 256 },
  features: { train: pretrainFeatures, steps: 1000, batchSize: 128 },
}
type Part = keyof typeof parts

export const PretrainConfig = z.strictObject({
  part: z.enum(['all', 'generator', 'clip', 'features']).default('all').describe('Which network is trained.'),
  steps: z.int().positive().nullable().default(null).describe('Updates; without it 6000, 2000 and 1000.'),
  batchSize: z.int().min(2).nullable().default(null).describe('Images per update; without it 96, 256 and 128.'),
  seed: z.int().nonnegative().default(1).describe('Seed of everything that is random.'),
  threads: z.int().positive().default(1).describe('Threads of each process; another number changes the last bits.'),
  out: z.string().min(1).default('weights').describe('Folder for generator, clip and features.safetensors.'),
})
export type PretrainConfig = z.infer<typeof PretrainConfig>

/**
 * Trains one part in this process, or all of them in two processes at a time: the generator beside the two small ones.
 *
 * @returns the folder of the weights
 */
export async function pretrain(config: PretrainConfig): Promise<string> {
  writing(config.out, () => mkdirSync(config.out, { recursive: true }))
  if (config.part !== 'all') trainPart(config.part, config)
  else {
    const small = async () => {
      await inOwnProcess('clip', config)
      await inOwnProcess('features', config)
    }
    await Promise.all([inOwnProcess('generator', config), small()])
  }
  return config.out
}

function trainPart(part: Part, { seed, threads, out, ...given }: PretrainConfig): void {
  const { train, ...own } = parts[part]
  const steps = given.steps ?? own.steps
  const batchSize = given.batchSize ?? own.batchSize
  useThreads(threads)
  const weights = train({ seed, steps, batchSize })
  writeSafetensors(join(out, `${part}.safetensors`), weights, {
    format: 'attune-weights-1',
    part,
    seed: String(seed),
    steps: String(steps),
    batchSize: String(batchSize),
    threads: String(threads),
    version: attuneVersion(),
    torch: describeLibrary().version,
    license: 'Apache-2.0',
  })
}

async function inOwnProcess(part: Part, { seed, steps, batchSize, threads, out }: PretrainConfig): Promise<void> {
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const given = { part, seed, threads, out, steps, 'batch-size': batchSize }
  const flags = Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, String(value)]))
  const child = spawn(process.execPath, [cli, 'pretrain', ...flags], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code === 0) return
  throw new DivergenceError({
    where: `pretrain ${part}`,
    expected: 'a training that ends',
    received: code === null ? 'a killed process' : `exit code ${code}`,
    remedy: `see the messages above; attune pretrain --part ${part} runs this part alone`,
  })
}

function attuneVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
