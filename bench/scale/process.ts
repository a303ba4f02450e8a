/** One process of compare.ts, alone or of a group: does the work that it is asked for. `process.ts <size> <threads> <folder>`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenerateConfig, generateImages } from '../../src/images/generate-images.ts'
import { open } from '../../src/open.ts'
import { groupFromEnvironment } from '../../src/place-in-group.ts'
import { predictedFeatures } from '../../src/policy/policy-gradient/value.ts'
import { rollOut } from '../../src/policy/rollout.ts'
import { joinGroup } from '../../src/tensor/group.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { tensorScope, unscoped } from '../../src/tensor/scope.ts'
import type { TrainingState } from '../../src/tensor/training-state.ts'
import { training, type Size } from '../dpok/training.ts'
import { answerQuestions, memory } from '../side.ts'
import { measured, type Exchanged } from './measured-group.ts'

export type Work = 'roll-outs' | 'images' | 'DPOK iteration'

export interface Answer extends Exchanged {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly megabytes: number
  /** What sides must agree on, up to rounding. */
  readonly figures: Figures
}
type Figures = Readonly<Record<string, number | undefined>>

const [size, threads, folder] = process.argv.slice(2) as [Size, string, string]
const { group, take } = measured(joinGroup(groupFromEnvironment(process.env)))
useThreads(Number(threads))
const { reward, texts, sampler, guidance, settings, dpok } = training(size, folder, {
  value: true,
  group,
  // Of a checkpoint on a CPU, as models have it: so one process computes the batches of two.
  ...(size === 'stable-diffusion' && { batchSize: 2 }),
})
const { policy } = dpok
const opened = await open(GenerateConfig.parse({ out: '-', threads: Number(threads) }))
const prompts = join(folder, 'prompts.txt')
if (group.rank === 0) writeFileSync(prompts, texts.slice(0, 8).join('\n') + '\n')

/** As an iteration draws them, with what V reads. */
function drawRollouts(): Figures {
  using _scope = tensorScope()
  const { rolloutsPerIteration: count, batchSize } = settings
  const drawn = Array.from({ length: count }, (_, i) => texts[i % texts.length])
  const { rewards } = rollOut(policy, reward, drawn, (i) => [1, i], {
    ...{ sampler, guidance, group, batchSize: batchSize! },
    observer: predictedFeatures(policy, reward, sampler),
  })
  return { reward: rewards.reduce((sum, one) => sum + one, 0) / count }
}

/** Four batches of the embedded model into a run folder, which goes again. */
async function drawImages(): Promise<Figures> {
  const out = join(folder, `images-${process.env.SIDE}`)
  const config = GenerateConfig.parse({ prompts, perPrompt: 24, batchSize: 48, out, threads: Number(threads) })
  await generateImages(config, () => Promise.resolve(opened), group)
  group.barrier()
  if (group.rank === 0) rmSync(out, { recursive: true })
  return { images: 8 * config.perPrompt }
}

/** What the first iteration left: each one after it begins there. */
let begun: TrainingState | undefined
function copied({ tensors, numbers }: TrainingState): TrainingState {
  const copies = unscoped(() => new Map([...tensors].map(([name, one]) => [name, one.detach().clone()])))
  return { tensors: copies, numbers: structuredClone(numbers) }
}

const work: Record<Work, () => Figures | Promise<Figures>> = {
  'roll-outs': drawRollouts,
  images: drawImages,
  'DPOK iteration': () => dpok.step(),
}

group.barrier()
console.log(JSON.stringify({ seconds: process.uptime() }))
await answerQuestions(async (question) => {
  if (begun !== undefined) dpok.load(begun)
  group.barrier()
  take()
  const [begin, cpu] = [performance.now(), process.cpuUsage()]
  const figures = await work[question as Work]()
  group.barrier()
  const seconds = (performance.now() - begin) / 1000
  const { user, system } = process.cpuUsage(cpu)
  if (question === 'DPOK iteration') begun ??= copied(dpok.state())
  return { ...take(), seconds, cpuSeconds: (user + system) / 1e6, megabytes: memory().peak, figures } satisfies Answer
})
